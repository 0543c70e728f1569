// The pictures: each a canvas of its own pixels, with marks on top that stay sharp at any size. A
// pane says which of its pixels is pointed at, by mouse, finger or arrow keys.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {{ y: number, x: number, kind?: "window" | "won" | "here" }} Mark
 * @typedef {{ level: number, y: number, x: number, id: string }} Pixel
 */

export class Pane {
  element = document.createElement("figure");
  level = 0;
  #picture = document.createElement("div");
  #canvas = document.createElement("canvas");
  #marks = document.createElementNS(SVG, "svg");
  #caption = document.createElement("figcaption");
  #title = document.createElement("b");
  #note = document.createElement("span");
  #at = { y: 0, x: 0 };

  /**
   * @param {string} id
   * @param {(pixel: Pixel) => void} pointed
   */
  constructor(id, pointed) {
    this.element.id = id;
    this.#picture.className = "picture";
    this.#picture.tabIndex = 0;
    this.#picture.setAttribute("role", "application");
    this.#picture.setAttribute("aria-roledescription", "picture");
    this.#marks.setAttribute("preserveAspectRatio", "none");
    this.#marks.setAttribute("aria-hidden", "true");
    this.#caption.append(this.#title, this.#note);
    this.#picture.append(this.#canvas, this.#marks);
    this.element.append(this.#picture, this.#caption);
    const point = (/** @type {number} */ y, /** @type {number} */ x) => {
      const { width, height } = this.#canvas;
      this.#at = { y: clamp(y, height), x: clamp(x, width) };
      pointed({ level: this.level, id, ...this.#at });
    };
    const follow = (/** @type {PointerEvent} */ event) => {
      const box = this.#canvas.getBoundingClientRect();
      point(
        Math.floor(((event.clientY - box.top) / box.height) * this.#canvas.height),
        Math.floor(((event.clientX - box.left) / box.width) * this.#canvas.width),
      );
    };
    this.#picture.addEventListener("pointermove", follow);
    this.#picture.addEventListener("pointerdown", follow);
    this.#picture.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step) {
        event.preventDefault();
        const far = event.shiftKey ? 10 : 1;
        point(this.#at.y + step[0] * far, this.#at.x + step[1] * far);
      }
    });
  }

  /** @param {import("./engine.js").Pane} pane */
  show({ level, title, note, width, height, rgba }) {
    this.level = level;
    this.#title.textContent = title;
    this.#note.textContent = note;
    this.#picture.setAttribute("aria-label", `${title}, ${note}. Arrow keys move over its pixels.`);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.mark([]);
    }
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    context?.putImageData(new ImageData(/** @type {any} */ (rgba), width, height), 0, 0);
  }

  /** The pixels that are shown.
   * @returns {HTMLCanvasElement} */
  get canvas() {
    return this.#canvas;
  }

  /**
   * Outlines pixels. A pixel may be too small to see on a large picture, so a ring goes around the
   * first.
   * @param {Mark[]} marks
   */
  mark(marks) {
    const drawn = marks.map(outline);
    const first = marks[0];
    if (first) {
      const { width } = this.#canvas;
      const ring = document.createElementNS(SVG, "circle");
      const values = { cx: first.x + 0.5, cy: first.y + 0.5, r: width / 28 };
      for (const [name, value] of Object.entries(values)) {
        ring.setAttribute(name, String(value));
      }
      ring.setAttribute("class", "ring");
      drawn.push(ring);
    }
    this.#marks.replaceChildren(...drawn);
  }
}

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** @param {number} at @param {number} size */
function clamp(at, size) {
  return Math.max(0, Math.min(size - 1, at));
}

/**
 * @param {Mark} mark
 * @returns {SVGElement}
 */
export function outline({ y, x, kind = "window" }) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width: 1, height: 1 })) {
    rect.setAttribute(name, String(value));
  }
  rect.setAttribute("class", kind);
  return rect;
}
