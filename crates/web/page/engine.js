// The page's side of the worker: calls are promises, and what the worker says on its own (that the
// device was lost, what it runs on now) is an event, and so is a choice of where to run.

/**
 * @typedef {"gpu" | "cpu"} Kind
 * @typedef {{ kind: Kind, description: string, reason: string }} Running
 * @typedef {{ kernel: number, stride: number, padding: number, dilation: number, levels: number,
 *   ceil: boolean }} Settings
 * @typedef {{ channel: number, large: boolean }} View the channel of the argmax that is shown, and
 *   whether kept pixels are drawn larger
 * @typedef {{ id: string, level: number, title: string, note: string, width: number,
 *   height: number, rgba: Uint8ClampedArray }} Pane
 * @typedef {{ panes: Pane[], levels: Pane[], agrees: boolean | undefined, compared: number,
 *   departure: string | undefined, deviceTime: number, cpuTime: number, times: number[],
 *   colours: Uint8Array, running: Running }} Shown
 * @typedef {{ cells: number[], winners: number[], pixel: number[], windows: number[],
 *   below: number, above: number }} Probe
 * @typedef {{ points: Float32Array, lengths: Uint32Array }} Drawing x and y of all points, interleaved,
 *   and the points of each stroke
 * @typedef {{ layer: string | undefined, part: string }} Explained a layer, the one with the scores
 *   if it is none; "strongest" for its strongest unit, the number of a channel for that of the
 *   channel, "all" for all of it
 * @typedef {{ name: string, shape: number[] }} Layer
 * @typedef {{ image: Float32Array, scores: Float32Array, channel: number | undefined,
 *   position: number | undefined, pictures: Uint8ClampedArray[], layers: Layer[] }} Read
 */

export class Engine extends EventTarget {
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  #next = 0;
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

  constructor() {
    super();
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.event) {
        this.dispatchEvent(new CustomEvent(data.event, { detail: data.detail }));
        return;
      }
      const call = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === undefined) {
        call?.resolve(data.result);
      } else {
        call?.reject(new Error(data.error));
      }
    });
    this.#worker.addEventListener("error", (event) => {
      for (const call of this.#waiting.values()) {
        call.reject(new Error(event.message || "the worker could not be started"));
      }
      this.#waiting.clear();
    });
  }

  /**
   * @param {string} name
   * @param {unknown} [argument]
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  #call(name, argument, transfer = []) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, argument }, transfer);
    });
  }

  /**
   * Chooses where to run; a GPU only if there is one.
   * @param {Kind} kind
   * @returns {Promise<Running>}
   */
  async choose(kind) {
    const running = await this.#call("choose", kind);
    this.dispatchEvent(new CustomEvent("chosen", { detail: running }));
    return running;
  }

  /**
   * Runs a picture through every level.
   * @param {import("./drawing.js").Picture} picture
   * @param {Settings} settings
   * @param {View} view
   * @returns {Promise<Shown>}
   */
  show(picture, settings, view) {
    return this.#call("show", { picture, settings, view });
  }

  /**
   * What a pixel of the last picture has to do with others.
   * @param {number} level
   * @param {number} y
   * @param {number} x
   * @returns {Promise<Probe>}
   */
  probe(level, y, x) {
    return this.#call("probe", { level, y, x });
  }

  /**
   * Reads a drawn digit, and looks back from what is to be explained.
   * @param {Drawing} drawing
   * @param {Explained} explained
   * @returns {Promise<Read>}
   */
  read(drawing, explained) {
    return this.#call("read", { drawing, explained });
  }

  /** The most pixels that a picture may have.
   * @returns {Promise<number>} */
  maxPixels() {
    return this.#call("maxPixels");
  }

  /** Throws the device away.
   * @returns {Promise<void>} */
  lose() {
    return this.#call("lose");
  }
}
