// How a pixel relates to others: in words, marked on the pictures, and enlarged in two views, one of
// the level above and one of the level below.

import { outline } from "./panes.js";

/** Pixels on each side of an enlarged view: odd, so that one is in the middle. */
const SIDE = 15;

/**
 * @typedef {import("./panes.js").Mark} Mark
 * @typedef {import("./panes.js").Pixel} Pixel
 */

export class Loupe {
  #engine;
  #pane;
  #told = /** @type {HTMLElement} */ (document.getElementById("told"));
  #glasses = [new Glass("above"), new Glass("below")];
  /** @type {Pixel | undefined} */
  #wanted;
  #busy = false;

  /**
   * @param {import("./engine.js").Engine} engine
   * @param {(id: string) => import("./panes.js").Pane | undefined} pane
   */
  constructor(engine, pane) {
    this.#engine = engine;
    this.#pane = pane;
    document.getElementById("glasses")?.append(...this.#glasses.map((glass) => glass.element));
    const narrow = matchMedia("(max-width: 60rem)");
    narrow.addEventListener("change", moveLoupe);
    moveLoupe(narrow);
  }

  /** A pixel is pointed at. Answers come in order, and only the last pixel matters.
   * @param {Pixel} pointed */
  async point(pointed) {
    this.#wanted = pointed;
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    try {
      while (this.#wanted) {
        const pointed = this.#wanted;
        this.#wanted = undefined;
        this.#show(pointed, await this.#engine.probe(pointed.level, pointed.y, pointed.x));
      }
    } catch {
      this.#told.textContent = "There is no picture yet.";
    } finally {
      this.#busy = false;
    }
  }

  /**
   * @param {Pixel} pointed
   * @param {import("./engine.js").Probe} probe
   */
  #show(pointed, probe) {
    const { level, y, x } = pointed;
    const here = { y, x, kind: /** @type {const} */ ("here") };
    // A pooled pixel shows its window above; a pixel of the picture shows its windows below.
    const up = level > 0;
    const cells = pairs(up ? probe.cells : probe.windows);
    const won = pairs(probe.winners).map((at) => ({ ...at, kind: /** @type {const} */ ("won") }));
    const others = [...cells, ...won];
    const other = up ? level - 1 : probe.below;
    this.clear();
    /** @type {HTMLElement} */ (document.getElementById("glasses")).hidden = false;
    this.#mark(level, [here]);
    this.#mark(other, others);
    const [above, below] = up
      ? [{ level: other, marks: others }, { level, marks: [here] }]
      : [{ level, marks: [here] }, { level: other, marks: others }];
    const middle = cells[Math.floor(cells.length / 2)] ?? here;
    this.#glasses[0]?.show(this.#source(above.level), up ? middle : here, above);
    this.#glasses[1]?.show(this.#source(below.level), up ? here : middle, below);
    this.#told.textContent = up ? tellPooled(pointed, probe) : tellCell(pointed, probe);
  }

  clear() {
    for (let level = 0; level <= 6; level++) {
      this.#mark(level, []);
    }
  }

  /**
   * @param {number} level
   * @param {Mark[]} marks
   */
  #mark(level, marks) {
    const ids = level > 0
      ? [`pooled-${level}`, `argmax-${level}`]
      : ["picture", "restored", "tilted", "difference"];
    for (const id of ids) {
      this.#pane(id)?.mark(marks);
    }
  }

  /** @param {number} level */
  #source(level) {
    return this.#pane(level === 0 ? "picture" : `pooled-${level}`)?.canvas;
  }
}

/**
 * Puts the glass below the controls, or, where the page is one column, at the end of the pictures.
 * There it is sticky (style.css), and a sticky element never leaves its parent: it covers pictures
 * and nothing else.
 * @param {{ matches: boolean }} narrow
 */
function moveLoupe({ matches: narrow }) {
  const loupe = /** @type {HTMLElement} */ (document.getElementById("loupe"));
  document.getElementById(narrow ? "pictures" : "side")?.append(loupe);
}

/** One enlarged piece of a level. */
class Glass {
  element = document.createElement("figure");
  #canvas = document.createElement("canvas");
  #marks = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  #caption = document.createElement("figcaption");

  /** @param {string} name */
  constructor(name) {
    const picture = document.createElement("div");
    picture.className = "picture";
    this.element.id = `glass-${name}`;
    this.#canvas.width = this.#canvas.height = SIDE;
    this.#canvas.setAttribute("aria-hidden", "true");
    this.#marks.setAttribute("viewBox", `0 0 ${SIDE} ${SIDE}`);
    this.#marks.setAttribute("aria-hidden", "true");
    this.#caption.textContent = name === "above" ? "Picture" : "Level 1";
    picture.append(this.#canvas, this.#marks);
    this.element.append(picture, this.#caption);
  }

  /**
   * @param {HTMLCanvasElement | undefined} source
   * @param {{ y: number, x: number }} middle
   * @param {{ level: number, marks: Mark[] }} what
   */
  show(source, middle, { level, marks }) {
    const context = this.#canvas.getContext("2d");
    context?.clearRect(0, 0, SIDE, SIDE);
    this.#marks.replaceChildren();
    this.#caption.textContent = level < 0 ? "Nothing below" : level > 0 ? `Level ${level}` : "Picture";
    if (!source || !context) {
      return;
    }
    const half = (SIDE - 1) / 2;
    const [left, top] = [middle.x - half, middle.y - half];
    context.imageSmoothingEnabled = false;
    context.drawImage(source, -left, -top);
    const inside = marks
      .map((mark) => ({ ...mark, y: mark.y - top, x: mark.x - left }))
      .filter(({ y, x }) => y >= 0 && x >= 0 && y < SIDE && x < SIDE);
    this.#marks.replaceChildren(...inside.map(outline));
  }
}

/** @param {number[]} flat @returns {{ y: number, x: number }[]} */
function pairs(flat) {
  const positions = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    positions.push({ y: flat[i] ?? 0, x: flat[i + 1] ?? 0 });
  }
  return positions;
}

/** @param {Pixel} pointed @param {import("./engine.js").Probe} probe */
function tellPooled({ level, y, x }, { cells, winners, pixel }) {
  const names = ["red", "green", "blue"];
  const won = pairs(winners).map(
    (at, c) => `${names[c]} ${byte(pixel[c])} from row ${at.y}, column ${at.x}`,
  );
  const above = level > 1 ? `level ${level - 1}` : "the picture";
  return (
    `Level ${level}, row ${y}, column ${x}: its window has ${count(cells.length / 2, "cell")} of ` +
    `${above}. The largest: ${won.join("; ")}.`
  );
}

/** @param {Pixel} pointed @param {import("./engine.js").Probe} probe */
function tellCell({ y, x }, { windows, pixel }) {
  const positions = pairs(windows).map((at) => `row ${at.y}, column ${at.x}`);
  const shown = positions.slice(0, 4).join("; ") + (positions.length > 4 ? "; …" : "");
  const belongs = positions.length === 0
    ? "no window of level 1 covers it"
    : `it is in ${count(positions.length, "window")} of level 1: ${shown}`;
  return `Picture, row ${y}, column ${x} (${pixel.map(byte).join(", ")}): ${belongs}.`;
}

/** @param {number | undefined} cell */
function byte(cell) {
  return Math.round((cell ?? 0) * 255);
}

/** @param {number} n @param {string} noun */
function count(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
