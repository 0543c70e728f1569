// Where pictures come from: a file that is opened or dropped, the camera, or the drawn one. A
// picture that is too large is refused, with the offer to scale it down.

import { drawn } from "./drawing.js";

/** The camera is asked for pictures of this width: each frame is pooled on the way to the next. */
const CAMERA_WIDTH = 320;

/**
 * @typedef {import("./drawing.js").Picture} Picture
 * @typedef {{ picture: (picture: Picture) => Promise<void>,
 *   refuse: (message: string, offer?: { label: string, take: () => void }) => void }} Page
 */

export class Sources {
  #page;
  #maxPixels;
  #button = /** @type {HTMLButtonElement} */ (document.getElementById("camera"));
  /** @type {MediaStream | undefined} */
  #stream;

  /**
   * @param {Page} page
   * @param {number} maxPixels
   */
  constructor(page, maxPixels) {
    this.#page = page;
    this.#maxPixels = maxPixels;
    const file = /** @type {HTMLInputElement} */ (document.getElementById("file"));
    file.addEventListener("change", () => {
      this.open(file.files?.[0]);
      file.value = "";
    });
    document.getElementById("drawn")?.addEventListener("click", () => this.draw());
    this.#button.addEventListener("click", () => (this.#stream ? this.stop() : this.#start()));
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("dropping");
      this.open(event.dataTransfer?.files[0]);
    });
  }

  draw() {
    this.stop();
    return this.#page.picture(drawn());
  }

  /** @param {File | undefined} file */
  async open(file) {
    if (!file) {
      return;
    }
    this.stop();
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      this.#page.refuse(`${file.name || "This"} is not a picture that this browser can read.`);
      return;
    }
    const pixels = bitmap.width * bitmap.height;
    const scale = Math.sqrt(this.#maxPixels / pixels);
    if (scale >= 1) {
      await this.#page.picture(toPicture(bitmap, bitmap.width, bitmap.height));
      return;
    }
    const width = Math.max(1, Math.floor(bitmap.width * scale));
    const height = Math.max(1, Math.floor(bitmap.height * scale));
    const large = bitmap;
    this.#page.refuse(
      `This picture has ${bitmap.width}×${bitmap.height} pixels, and at most ` +
        `${this.#maxPixels.toLocaleString("en")} are taken. What you had is still here.`,
      {
        label: `Use it at ${width}×${height}`,
        take: () => this.#page.picture(toPicture(large, width, height)),
      },
    );
  }

  async #start() {
    let stream;
    try {
      const video = { width: { ideal: CAMERA_WIDTH }, facingMode: "environment" };
      stream = await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#page.refuse(`The camera cannot be used: ${reason}.`);
      return;
    }
    this.#stream = stream;
    this.#button.setAttribute("aria-pressed", "true");
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    while (this.#stream === stream) {
      const width = Math.min(CAMERA_WIDTH, video.videoWidth);
      const height = Math.round((video.videoHeight * width) / video.videoWidth);
      if (width > 0 && height > 0) {
        await this.#page.picture(toPicture(video, width, height));
      }
      await new Promise(requestAnimationFrame);
    }
  }

  /** Lets the camera go. */
  stop() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.stop();
    }
    this.#stream = undefined;
    this.#button.setAttribute("aria-pressed", "false");
  }
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
function toPicture(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.drawImage(source, 0, 0, width, height);
  return { rgba: context.getImageData(0, 0, width, height).data, width, height };
}
