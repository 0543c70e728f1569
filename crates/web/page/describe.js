// A computed frame as the page shows it: its panes with their words, its times, and whether it
// agrees with the CPU.

/**
 * @param {import("./pkg/unpool.js").Frame} frame
 * @param {import("./engine.js").View} view
 * @returns {Omit<import("./engine.js").Shown, "colours" | "running">}
 */
export function describe(frame, { channel, large }) {
  const [height = 0, width = 0] = frame.size(0);
  const whole = { level: 0, width, height };
  const differing = frame.differing;
  const pixels = `${width}×${height}`;
  const panes = [
    { ...whole, id: "picture", title: "Picture", note: pixels, rgba: frame.picture(0) },
    {
      ...whole,
      id: "restored",
      title: "Pooled and unpooled",
      note: "each maximum at its own position",
      rgba: frame.restored(large),
    },
    {
      ...whole,
      id: "tilted",
      title: "By naive index arithmetic",
      note: "pooled width × stride taken for the width",
      rgba: frame.tilted(large),
    },
    {
      ...whole,
      id: "difference",
      title: "Difference of the two",
      note: differing === 0 ? "none" : `in ${differing} of ${width * height} pixels`,
      rgba: frame.difference(large),
    },
  ];
  const levels = [];
  for (let level = 1; level <= frame.levels; level++) {
    const [height = 0, width = 0] = frame.size(level);
    const size = { level, width, height };
    const note = `${width}×${height}`;
    levels.push(
      { ...size, id: `pooled-${level}`, title: `Level ${level}, pooled`, note, rgba: frame.picture(level) },
      {
        ...size,
        id: `argmax-${level}`,
        title: `Level ${level}, argmax`,
        note: `${["red", "green", "blue"][channel]} channel, colour by position in the window`,
        rgba: frame.argmax(level, channel),
      },
    );
  }
  return {
    panes,
    levels,
    agrees: frame.agrees,
    compared: frame.compared,
    departure: frame.departure,
    deviceTime: frame.deviceTime,
    cpuTime: frame.cpuTime,
    times: [...frame.times()],
  };
}
