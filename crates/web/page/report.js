// What the page says of a run: where it ran, whether every bit agrees with the CPU, how long each
// step took, and what the colours of the argmax mean.

const OPERATIONS = ["max_pool", "max_unpool", "max_pool_backward", "max_unpool_backward"];

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {import("./engine.js").Running} running */
export function tellRunning({ kind, description, reason }) {
  element("device").textContent =
    kind === "gpu"
      ? `Runs on the GPU: ${description}.`
      : reason === "as chosen"
        ? `Runs on the ${description}.`
        : `WebGPU is not available here (${reason}), so this runs on the ${description}.`;
}

/** @param {import("./engine.js").Shown} shown */
export function tellShown(shown) {
  tellRunning(shown.running);
  const agreement = element("agreement");
  if (shown.agrees === undefined) {
    agreement.removeAttribute("data-agrees");
    agreement.textContent = "Computed by the CPU path itself: there is nothing to compare it with.";
  } else {
    agreement.dataset.agrees = String(shown.agrees);
    agreement.textContent = shown.agrees
      ? `Every bit agrees with the CPU: ${shown.compared.toLocaleString("en")} elements compared.`
      : `The GPU departs from the CPU: ${shown.departure}.`;
  }
  tellTimes(shown);
}

/** @param {import("./engine.js").Shown} shown */
function tellTimes({ agrees, deviceTime, cpuTime, times }) {
  const cpu = `CPU: ${milliseconds(cpuTime)}, one thread of WebAssembly.`;
  element("whole").textContent =
    agrees === undefined
      ? `All levels on the ${cpu}`
      : `All levels on the GPU, with the way there and back: ${milliseconds(deviceTime)}. On the ${cpu}`;
  const levels = times.length / OPERATIONS.length;
  const names = ["Milliseconds", ...Array.from({ length: levels }, (_, level) => `Level ${level + 1}`)];
  element("times-head").replaceChildren(row("th", names));
  element("times").replaceChildren(
    ...OPERATIONS.map((name, operation) => {
      const cells = Array.from({ length: levels }, (_, level) =>
        number(times[level * OPERATIONS.length + operation] ?? NaN),
      );
      return row("td", [name, ...cells]);
    }),
  );
}

/**
 * @param {"td" | "th"} kind
 * @param {string[]} texts the first is a row's own heading
 */
function row(kind, texts) {
  const row = document.createElement("tr");
  for (const [i, text] of texts.entries()) {
    const cell = document.createElement(i === 0 ? "th" : kind);
    cell.textContent = text;
    if (cell.tagName === "TH") {
      cell.setAttribute("scope", kind === "th" ? "col" : "row");
    }
    row.append(cell);
  }
  return row;
}

/** @param {number} time */
function milliseconds(time) {
  return `${number(time)} ms`;
}

/** @param {number} time */
function number(time) {
  return Number.isNaN(time) ? "–" : time.toFixed(time < 10 ? 2 : 0);
}

/**
 * @param {Uint8Array} colours RGB of each tap
 * @param {number} kernel
 */
export function tellColours(colours, kernel) {
  const legend = element("legend");
  legend.dataset.kernel = String(kernel);
  legend.style.gridTemplateColumns = `repeat(${kernel}, auto)`;
  legend.setAttribute("role", "img");
  legend.setAttribute("aria-label", `The colours of the ${kernel * kernel} taps of a window`);
  const cells = [];
  for (let tap = 0; tap < kernel * kernel; tap++) {
    const cell = document.createElement("i");
    cell.style.background = `rgb(${colours.subarray(3 * tap, 3 * tap + 3).join(" ")})`;
    cell.textContent = String(tap);
    cells.push(cell);
  }
  legend.replaceChildren(...cells);
}
