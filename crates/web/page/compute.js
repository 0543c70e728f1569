// The engine of a computation: the device while there is one, the CPU where there is none or
// the page asks for that. A device that is lost is asked for again, and what ran on it runs again.

import { Device, DeviceLevels, Frame } from "./pkg/unpool.js";

/** How often a lost device is asked for, and how long to wait in between. */
const TRIES = 5;
const WAIT_MS = 200;

export class Compute {
  /** @type {import("./engine.js").Running} */
  running = { kind: "cpu", description: "", reason: "" };

  /** @type {Device | undefined} */
  #device;
  /** @type {{ key: string, levels: DeviceLevels } | undefined} */
  #prepared;
  /** @type {Promise<unknown>} */
  #recovered = Promise.resolve();
  #tell;

  /** @param {(event: string, detail: unknown) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * @param {import("./engine.js").Kind} kind
   * @returns {Promise<import("./engine.js").Running>}
   */
  async choose(kind) {
    await this.#recovered;
    if (kind === "cpu") {
      this.running = { kind, description: "CPU, one thread of WebAssembly", reason: "as chosen" };
    } else {
      await this.#request();
    }
    return this.running;
  }

  /**
   * @param {import("./pkg/unpool.js").Settings} settings
   * @param {import("./drawing.js").Picture} picture
   * @returns {Promise<Frame>}
   */
  async run(settings, picture) {
    const { width, height } = picture;
    return this.attempt(async (device) =>
      device
        ? this.#levels(device, settings, picture).run(bytes(picture))
        : Frame.onCpu(settings, bytes(picture), width, height),
    );
  }

  /**
   * Does something on the device while there is one, again if that goes away under it, and on the
   * CPU otherwise.
   * @template {{ free(): void }} T
   * @param {(device: Device | undefined) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async attempt(work) {
    await this.#recovered;
    for (let tries = 1; this.running.kind === "gpu"; tries++) {
      try {
        const device = /** @type {Device} */ (this.#device);
        const result = await work(device);
        if (device.complaint) {
          result.free();
          throw new Error(device.complaint);
        }
        return result;
      } catch (error) {
        // Refused, unless the device went away under it.
        await new Promise((resolve) => setTimeout(resolve));
        if (this.#device && tries < TRIES) {
          throw error;
        }
        await this.#recovered;
      }
    }
    return work(undefined);
  }

  lose() {
    this.#device?.destroy();
  }

  /**
   * The levels ready on a device, made if the last ones were others.
   * @param {Device} device
   * @param {import("./pkg/unpool.js").Settings} settings
   * @param {import("./drawing.js").Picture} picture
   */
  #levels(device, settings, picture) {
    const { kernel, stride, padding, dilation, levels, ceil } = settings;
    const { width, height } = picture;
    const key = [kernel, stride, padding, dilation, levels, ceil, width, height].join();
    if (this.#prepared?.key !== key) {
      this.#prepared?.levels.free();
      this.#prepared = undefined;
      this.#prepared = { key, levels: new DeviceLevels(device, settings, width, height) };
    }
    return this.#prepared.levels;
  }

  async #request() {
    try {
      if (!this.#device) {
        const device = await Device.request();
        this.#device = device;
        device.lost().then((reason) => this.#lost(device, reason));
      }
      this.running = { kind: "gpu", description: await adapter(), reason: "" };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.running = { kind: "cpu", description: "CPU, one thread of WebAssembly", reason };
    }
  }

  /**
   * @param {Device} device
   * @param {string} reason
   */
  #lost(device, reason) {
    if (device !== this.#device) {
      return;
    }
    this.#device = undefined;
    this.#prepared = undefined;
    this.#recovered = this.#recover(reason);
  }

  /** @param {string} reason */
  async #recover(reason) {
    this.#tell("lost", reason);
    const wasChosen = this.running.kind === "gpu";
    for (let tries = 1; wasChosen && tries <= TRIES; tries++) {
      await this.#request();
      if (this.#device) {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries));
    }
    this.#tell("recovered", this.running);
  }
}

/** What the browser tells of its best adapter, the one that every device here is of. */
async function adapter() {
  const info = (await navigator.gpu.requestAdapter())?.info;
  const words = [info?.vendor, info?.architecture, info?.description];
  return ["WebGPU", ...words.filter((word) => word)].join(" ");
}

/** @param {import("./drawing.js").Picture} picture */
function bytes({ rgba }) {
  return new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.byteLength);
}
