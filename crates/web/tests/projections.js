// What the network computes in a browser, beside what PyTorch computed: the ten scores of three
// images, and 42 ways back from each. Sums differ by rounding, so the largest difference is told,
// as a part of the largest value.
//
// Runs in the browser.

/**
 * @param {string} build the address of the page's pkg/unpool.js
 * @param {string} networks the address of the model and of PyTorch's numbers
 * @returns {Promise<{ compared: number, off: Record<string, number> }>} maps that were compared, and
 *   by engine how far scores and maps are off
 */
export async function compare(build, networks) {
  const library = await import(build);
  await library.default();
  const file = new Uint8Array(await (await fetch(`${networks}digits.onnx`)).arrayBuffer());
  const expected = await (await fetch(`${networks}digits.json`)).json();
  const device = await library.Device.request();
  const engines = {
    WebGPU: library.Digits.onDevice(device, file),
    CPU: library.Digits.onCpu(file),
  };
  /** @type {Record<string, number>} */
  const off = {};
  let compared = 0;
  for (const [engine, digits] of Object.entries(engines)) {
    for (const { rule, layer, target, at, input_map } of expected.projections) {
      const maps = [];
      for (let image = 0; image < 3; image++) {
        const pixels = Float32Array.from(part(expected.image, image, 3));
        const reading = await digits.read(pixels, layer, at?.channel, target === "all");
        if (at && reading.position !== at.position[image]) {
          throw new Error(`${engine}, ${rule} of ${layer}: unit ${reading.position} was strongest`);
        }
        note(off, `${engine}, scores`, reading.scores, part(expected.logits, image, 3));
        maps.push(...reading.map(["gradient", "deconvnet", "guided"].indexOf(rule)));
        reading.free();
        compared++;
      }
      note(off, `${engine}, ${rule}`, maps, input_map);
    }
  }
  if (device.complaint) {
    throw new Error(device.complaint);
  }
  return { compared, off };
}

/** @param {number[]} all @param {number} i @param {number} count */
function part(all, i, count) {
  const length = all.length / count;
  return all.slice(i * length, (i + 1) * length);
}

/**
 * @param {Record<string, number>} off
 * @param {string} what
 * @param {ArrayLike<number>} found
 * @param {number[]} expected
 */
function note(off, what, found, expected) {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = expected.reduce((most, value, i) => {
    const difference = Math.abs(value - (found[i] ?? NaN));
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  }, 0);
  off[what] = Math.max(off[what] ?? 0, largest === 0 ? apart : apart / largest);
}
