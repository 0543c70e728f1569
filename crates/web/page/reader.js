// Reads digits in the worker: fetches the network once, and keeps it on the device that the page
// runs on, or on the CPU.

import { Digits, digitImage } from "./pkg/unpool.js";

/** Of gradient, deconvnet and guided backpropagation. */
const RULES = 3;

export class Reader {
  #compute;
  /** @type {Promise<Uint8Array> | undefined} */
  #file;
  /** The network, and the device that it is on, if any.
   * @type {{ device: import("./pkg/unpool.js").Device | undefined, digits: Digits } | undefined} */
  #made;

  /** @param {import("./compute.js").Compute} compute */
  constructor(compute) {
    this.#compute = compute;
  }

  /**
   * @param {import("./engine.js").Drawing} drawing
   * @param {import("./engine.js").Explained} explained
   * @returns {Promise<import("./engine.js").Read>}
   */
  async read({ points, lengths }, { layer, part }) {
    const file = await this.#fetch();
    const image = digitImage(points, lengths);
    const reading = await this.#compute.attempt((device) => {
      const channel = /^\d+$/.test(part) ? Number(part) : undefined;
      return this.#on(device, file).read(image, layer, channel, part === "all");
    });
    const { digits } = /** @type {{ digits: Digits }} */ (this.#made);
    const read = {
      image,
      scores: reading.scores,
      channel: reading.channel,
      position: reading.position,
      pictures: Array.from({ length: RULES }, (_, rule) => reading.picture(rule)),
      layers: digits.layers().map((name) => ({ name, shape: [...digits.shape(name)] })),
    };
    reading.free();
    return read;
  }

  /** @param {import("./pkg/unpool.js").Device | undefined} device */
  #on(device, /** @type {Uint8Array} */ file) {
    if (!this.#made || this.#made.device !== device) {
      this.#made = undefined;
      const digits = device ? Digits.onDevice(device, file) : Digits.onCpu(file);
      this.#made = { device, digits };
    }
    return this.#made.digits;
  }

  #fetch() {
    this.#file ??= fetch(new URL("digits.onnx", import.meta.url)).then(async (response) => {
      if (!response.ok) {
        throw new Error(`the network's file is not there: ${response.status}`);
      }
      return new Uint8Array(await response.arrayBuffer());
    });
    // What failed once may not the next time.
    this.#file.catch(() => (this.#file = undefined));
    return this.#file;
  }
}
