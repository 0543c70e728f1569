// The sliders and their values.

/** @type {{ name: keyof import("./engine.js").Settings, least: number, most: number, start: number }[]} */
const SLIDERS = [
  { name: "kernel", least: 1, most: 7, start: 2 },
  { name: "stride", least: 1, most: 7, start: 2 },
  { name: "padding", least: 0, most: 3, start: 0 },
  { name: "dilation", least: 1, most: 4, start: 1 },
  { name: "levels", least: 1, most: 6, start: 3 },
];

/**
 * Puts the sliders into the page.
 * @param {HTMLElement} container
 */
export function makeSliders(container) {
  for (const { name, least, most, start } of SLIDERS) {
    const row = document.createElement("div");
    row.className = "slider";
    const label = document.createElement("label");
    label.htmlFor = name;
    label.textContent = name[0]?.toUpperCase() + name.slice(1);
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id: name, min: least, max: most, step: 1 });
    input.value = String(start);
    const output = document.createElement("output");
    output.htmlFor.add(name);
    output.value = input.value;
    input.addEventListener("input", () => (output.value = input.value));
    row.append(label, input, output);
    container.append(row);
  }
}

/** @returns {import("./engine.js").Settings} */
export function settings() {
  const of = (/** @type {string} */ id) =>
    /** @type {HTMLInputElement} */ (document.getElementById(id));
  const number = (/** @type {string} */ id) => Number(of(id).value);
  return {
    kernel: number("kernel"),
    stride: number("stride"),
    padding: number("padding"),
    dilation: number("dilation"),
    levels: number("levels"),
    ceil: of("ceil").checked,
  };
}

/** @returns {import("./engine.js").View} */
export function view() {
  return {
    channel: Number(/** @type {HTMLSelectElement} */ (document.getElementById("channel")).value),
    large: /** @type {HTMLInputElement} */ (document.getElementById("large")).checked,
  };
}
