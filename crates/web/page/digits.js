// The section in which a digit is drawn, read by a network, and explained: live, one reading after
// another, and only the last drawing matters.

import { Maps } from "./maps.js";
import { numeral } from "./numerals.js";
import { Pad } from "./pad.js";
import { Parts } from "./parts.js";
import { tellScores } from "./scores.js";

/** The digit that is there before one draws. */
const FIRST = 3;

/**
 * @param {HTMLElement} container
 * @param {import("./engine.js").Engine} engine
 */
export function digits(container, engine) {
  container.id = "digits";
  container.setAttribute("aria-labelledby", "digits-title");
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("digits-template"));
  container.append(template.content.cloneNode(true));
  const section = new Digits(container, engine);
  // Nothing is computed until the section is scrolled into view.
  new IntersectionObserver(([entry], observer) => {
    if (entry?.isIntersecting) {
      observer.disconnect();
      section.start();
    }
  }).observe(container);
}

class Digits {
  #container;
  #engine;
  #pad;
  #parts;
  #maps;
  #started = false;
  #again = false;
  #busy = false;

  /**
   * @param {HTMLElement} container
   * @param {import("./engine.js").Engine} engine
   */
  constructor(container, engine) {
    this.#container = container;
    this.#engine = engine;
    this.#pad = new Pad(this.#of("digit-pad"), () => this.#update());
    this.#parts = new Parts(this.#of("digit-layer"), this.#of("digit-part"), () => this.#update());
    this.#maps = new Maps(this.#of("digit-maps"), this.#of("digit-told"));
    this.#of("digit-clear").addEventListener("click", () => this.#pad.show([]));
    this.#of("digit-undo").addEventListener("click", () => this.#pad.undo());
    for (let digit = 0; digit < 10; digit++) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: digit });
      button.setAttribute("aria-label", `Take a ${digit}`);
      button.addEventListener("click", () => this.#pad.show(numeral(digit)));
      this.#of("digit-samples").append(button);
    }
    tellScores(container, undefined);
    for (const event of ["chosen", "recovered"]) {
      engine.addEventListener(event, () => this.#update());
    }
  }

  start() {
    this.#started = true;
    if (this.#pad.strokes.length === 0) {
      this.#pad.show(numeral(FIRST), true);
    } else {
      this.#update();
    }
  }

  /** @param {string} id @returns {any} */
  #of(id) {
    return this.#container.querySelector(`#${id}`);
  }

  async #update() {
    this.#again = true;
    if (this.#busy || !this.#started) {
      return;
    }
    this.#busy = true;
    this.#container.setAttribute("aria-busy", "true");
    while (this.#again) {
      this.#again = false;
      await this.#read();
    }
    this.#container.removeAttribute("aria-busy");
    this.#busy = false;
  }

  async #read() {
    const { strokes } = this.#pad;
    for (const id of ["digit-clear", "digit-undo"]) {
      this.#of(id).disabled = strokes.length === 0;
    }
    if (strokes.length === 0) {
      tellScores(this.#container, undefined);
      this.#maps.clear();
      return;
    }
    const points = Float32Array.from(strokes.flat(2));
    const lengths = Uint32Array.from(strokes, (stroke) => stroke.length);
    try {
      const explained = this.#parts.chosen;
      const read = await this.#engine.read({ points, lengths }, explained);
      this.#parts.offer(read.layers);
      tellScores(this.#container, read.scores);
      this.#maps.show(read, this.#parts.described(explained, read));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#of("digit-verdict").textContent = `The network could not read this: ${message}.`;
    }
  }
}
