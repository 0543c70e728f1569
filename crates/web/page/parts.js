// What is explained: a layer, and what of it.

export class Parts {
  #layer;
  #part;
  /** @type {import("./engine.js").Layer[]} */
  #layers = [];

  /**
   * @param {HTMLSelectElement} layer
   * @param {HTMLSelectElement} part
   * @param {() => void} changed
   */
  constructor(layer, part, changed) {
    this.#layer = layer;
    this.#part = part;
    layer.addEventListener("input", () => {
      this.#offerParts();
      changed();
    });
    part.addEventListener("input", changed);
  }

  /** @returns {import("./engine.js").Explained} */
  get chosen() {
    return { layer: this.#layer.value || undefined, part: this.#part.value || "strongest" };
  }

  /** Fills in the layers, once they are known.
   * @param {import("./engine.js").Layer[]} layers the one with the scores last */
  offer(layers) {
    if (this.#layers.length > 0) {
      return;
    }
    this.#layers = layers.toReversed();
    const options = this.#layers.map(({ name, shape }, i) =>
      new Option(`${name}, ${i === 0 ? "the scores" : shape.join("×")}`, name));
    this.#layer.replaceChildren(...options);
    this.#offerParts();
  }

  #offerParts() {
    const scores = this.#layer.selectedIndex === 0;
    const channels = this.#layers[this.#layer.selectedIndex]?.shape[0] ?? 0;
    const each = Array.from({ length: channels }, (_, channel) =>
      new Option(`${scores ? "class" : "channel"} ${channel}`, String(channel)));
    this.#part.replaceChildren(
      new Option(scores ? "the winning class" : "the strongest unit", "strongest"),
      new Option(scores ? "all classes" : "all units", "all"),
      ...each,
    );
  }

  /**
   * What was explained, in words.
   * @param {import("./engine.js").Explained} explained
   * @param {import("./engine.js").Read} read
   */
  described({ layer }, { channel, position }) {
    const index = layer ? this.#layers.findIndex(({ name }) => name === layer) : 0;
    const { name = "", shape = [] } = this.#layers[index] ?? {};
    if (channel === undefined || position === undefined) {
      return index === 0 ? "all ten scores" : `all of ${name}`;
    }
    const width = shape[2] ?? 1;
    const at = `row ${Math.floor(position / width)}, column ${position % width}`;
    return index === 0 ? `the score of class ${channel}` : `${name}, channel ${channel}, ${at}`;
  }
}
