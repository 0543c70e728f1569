// What digits are drawn on: strokes by mouse, finger or pen, or by a pen that the arrow keys move.
// Strokes are kept as points from 0 to 1, and drawn as lines that stay sharp at any size.

const SVG = "http://www.w3.org/2000/svg";

/** How far an arrow key moves the pen. */
const STEP = 0.04;
/** Points closer than this tell nothing new. */
const CLOSE = 0.004;

/** @typedef {import("./numerals.js").Stroke} Stroke */

export class Pad {
  /** @type {Stroke[]} */
  strokes = [];
  #svg;
  #changed;
  /** Whether what is there makes room for the first stroke of one's own. */
  #replaceable = false;
  /** @type {[number, number]} */
  #pen = [0.5, 0.2];
  #down = false;
  #nib = document.createElementNS(SVG, "circle");

  /**
   * @param {SVGSVGElement} svg
   * @param {() => void} changed
   */
  constructor(svg, changed) {
    this.#svg = svg;
    this.#changed = changed;
    this.#nib.setAttribute("class", "nib");
    this.#nib.setAttribute("r", "0.03");
    svg.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.isPrimary) {
        svg.setPointerCapture(event.pointerId);
        this.#down = false;
        this.#begin(this.#at(event));
      }
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) {
        const passed = event.getCoalescedEvents?.() ?? [];
        for (const point of passed.length > 0 ? passed : [event]) {
          this.#extend(this.#at(point));
        }
      }
    });
    svg.addEventListener("keydown", (event) => this.#key(event));
    svg.addEventListener("blur", () => {
      this.#down = false;
      this.#draw();
    });
    this.#draw();
  }

  /**
   * Shows other strokes.
   * @param {Stroke[]} strokes
   * @param {boolean} [replaceable] whether they go when one draws
   */
  show(strokes, replaceable = false) {
    this.strokes = strokes;
    this.#replaceable = replaceable;
    this.#down = false;
    this.#draw();
    this.#changed();
  }

  undo() {
    this.show(this.strokes.slice(0, -1));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = STEPS[event.key];
    if (event.key === " " || event.key === "Enter") {
      this.#down = !this.#down;
      if (this.#down) {
        this.#begin(this.#pen);
      }
    } else if (step) {
      const [x, y] = this.#pen;
      this.#pen = [inside(x + step[0] * STEP), inside(y + step[1] * STEP)];
      if (this.#down) {
        this.#extend(this.#pen);
      }
    } else {
      return;
    }
    event.preventDefault();
    this.#draw();
  }

  /** @param {[number, number]} point */
  #begin(point) {
    if (this.#replaceable) {
      this.strokes = [];
      this.#replaceable = false;
    }
    this.strokes.push([point]);
    this.#draw();
    this.#changed();
  }

  /** @param {[number, number]} point */
  #extend(point) {
    const stroke = this.strokes.at(-1);
    const last = stroke?.at(-1);
    if (stroke && last && Math.hypot(point[0] - last[0], point[1] - last[1]) >= CLOSE) {
      stroke.push(point);
      this.#draw();
      this.#changed();
    }
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return [inside((clientX - left) / width), inside((clientY - top) / height)];
  }

  #draw() {
    const lines = this.strokes.map((stroke) => {
      const line = document.createElementNS(SVG, "polyline");
      // A line of one point has no length, and would not be seen.
      const points = stroke.length === 1 ? [...stroke, ...stroke] : stroke;
      line.setAttribute("points", points.map(([x, y]) => `${x.toFixed(4)},${y.toFixed(4)}`).join(" "));
      return line;
    });
    const [x, y] = this.#pen;
    this.#nib.setAttribute("cx", String(x));
    this.#nib.setAttribute("cy", String(y));
    this.#nib.classList.toggle("down", this.#down);
    this.#svg.replaceChildren(...lines, this.#nib);
  }
}

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** @param {number} at */
function inside(at) {
  return Math.max(0, Math.min(1, at));
}
