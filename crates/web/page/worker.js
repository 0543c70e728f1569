// The library at work, off the page's thread: it owns the device, the levels and the network that
// are ready on it, and the last picture's results, which answer what is asked about a pixel. Calls
// run one after another.

import init, { Frame, Settings, maxPixels, tapColours } from "./pkg/unpool.js";
import { Compute } from "./compute.js";
import { describe } from "./describe.js";
import { Reader } from "./reader.js";

const ready = init();
const compute = new Compute((event, detail) => postMessage({ event, detail }));

const reader = new Reader(compute);

/** @type {Frame | undefined} */
let frame;

/** @type {Record<string, (argument: any) => unknown>} */
const calls = {
  choose: (kind) => compute.choose(kind),

  async show({ picture, settings, view }) {
    const { kernel, stride, padding, dilation, levels, ceil } = settings;
    const window = new Settings(kernel, stride, padding, dilation, levels, ceil);
    try {
      const made = await compute.run(window, picture);
      frame?.free();
      frame = made;
    } finally {
      window.free();
    }
    return {
      ...describe(frame, view),
      colours: tapColours(kernel),
      running: compute.running,
    };
  },

  probe({ level, y, x }) {
    if (!frame) {
      throw new Error("there is no picture yet");
    }
    return {
      pixel: [...frame.pixel(level, y, x)],
      cells: [...frame.windowCells(level, y, x)],
      winners: [...frame.winners(level, y, x)],
      windows: [...frame.windowsOf(level, y, x)],
      above: level - 1,
      below: level < frame.levels ? level + 1 : -1,
    };
  },

  read: ({ drawing, explained }) => reader.read(drawing, explained),

  maxPixels: () => maxPixels(),
  lose: () => compute.lose(),
};

let last = Promise.resolve();

addEventListener("message", ({ data: { id, name, argument } }) => {
  last = last.then(async () => {
    try {
      await ready;
      const result = await calls[name]?.(argument);
      postMessage({ id, result }, { transfer: buffers(result) });
    } catch (error) {
      postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
});

/**
 * The pictures of a result: moved, not copied.
 * @param {any} result
 * @returns {Transferable[]}
 */
function buffers(result) {
  const pictures = [...(result?.panes ?? []), ...(result?.levels ?? [])].map((pane) => pane.rgba);
  return pictures.map(({ buffer }) => buffer);
}
