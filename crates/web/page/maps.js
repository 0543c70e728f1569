// The pictures of a reading: the input of the network, and the projections of its response.

/** Pixels a side. */
const SIDE = 32;

const PICTURES = [
  ["seen", "What the network sees", "in the middle, in full height, coarse"],
  ["gradient", "Gradient", "back where the ReLU had let through"],
  ["deconvnet", "Deconvnet", "back where the signal is positive"],
  ["guided", "Guided backpropagation", "back where both hold"],
];

export class Maps {
  /** @type {CanvasRenderingContext2D[]} */
  #contexts = [];
  #told;

  /**
   * @param {HTMLElement} container
   * @param {HTMLElement} told the element for the sentence that says what the pictures explain
   */
  constructor(container, told) {
    this.#told = told;
    for (const [id, title = "", note = ""] of PICTURES) {
      const [figure, canvas, caption, name, words] = [
        document.createElement("figure"),
        document.createElement("canvas"),
        document.createElement("figcaption"),
        document.createElement("b"),
        document.createElement("span"),
      ];
      figure.id = `digit-${id}`;
      Object.assign(canvas, { width: SIDE, height: SIDE });
      canvas.setAttribute("role", "img");
      name.textContent = title;
      words.textContent = note;
      caption.append(name, words);
      figure.append(canvas, caption);
      container.append(figure);
      this.#contexts.push(
        /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true })),
      );
    }
    this.clear();
  }

  clear() {
    this.#told.textContent = "Nothing to explain yet.";
    this.#contexts.forEach((context, i) => {
      context.clearRect(0, 0, SIDE, SIDE);
      context.canvas.setAttribute("aria-label", `${PICTURES[i]?.[1]}: empty`);
    });
  }

  /**
   * @param {import("./engine.js").Read} read
   * @param {string} explained
   */
  show({ image, pictures }, explained) {
    const ink = new Uint8ClampedArray(4 * SIDE * SIDE);
    image.forEach((value, i) => {
      ink.fill(255 * (1 - value), 4 * i, 4 * i + 3);
      ink[4 * i + 3] = 255;
    });
    this.#told.textContent = `The pictures explain ${explained}.`;
    [ink, ...pictures].forEach((rgba, i) => {
      const title = PICTURES[i]?.[1] ?? "";
      const label = i === 0 ? `${title} of the drawing` : `${title} of ${explained}`;
      const context = this.#contexts[i];
      context?.canvas.setAttribute("aria-label", label);
      context?.putImageData(new ImageData(/** @type {any} */ (rgba), SIDE, SIDE), 0, 0);
    });
  }
}
