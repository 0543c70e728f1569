// Puts the page together: a picture from the sources, settings from the controls, both through the
// engine, and what comes back into the panes.

import { makeSliders, settings, view } from "./controls.js";
import { Engine } from "./engine.js";
import { extras } from "./extras.js";
import { Loupe } from "./loupe.js";
import { Pane } from "./panes.js";
import { tellColours, tellRunning, tellShown } from "./report.js";
import { Sources } from "./source.js";

/** @typedef {import("./drawing.js").Picture} Picture */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

makeSliders(element("sliders"));
const engine = new Engine();
/** @type {Map<string, Pane>} */
const panes = new Map();
const loupe = new Loupe(engine, (id) => panes.get(id));
const chosen = /** @type {HTMLSelectElement} */ (element("engine"));

/** @type {Picture | undefined} */
let picture;
/** @type {Promise<void> | undefined} */
let running;
let again = false;

/** Shows the picture as the controls say. While one run is under way, later ones become one. */
function update() {
  again = true;
  running ??= (async () => {
    while (again && picture) {
      again = false;
      await show(picture);
    }
    running = undefined;
  })();
  return running;
}

/** @param {Picture} picture */
async function show(picture) {
  document.body.setAttribute("aria-busy", "true");
  try {
    const wanted = settings();
    const shown = await engine.show(picture, wanted, view());
    fill("panes", shown.panes);
    fill("level-panes", shown.levels);
    tellShown(shown);
    tellColours(shown.colours, wanted.kernel);
    refuse("");
  } catch (error) {
    refuse(`${sentence(error instanceof Error ? error.message : String(error))} What you had is still shown.`);
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

/**
 * @param {string} id
 * @param {import("./engine.js").Pane[]} shown
 */
function fill(id, shown) {
  const figures = shown.map((data) => {
    let pane = panes.get(data.id);
    if (!pane) {
      pane = new Pane(data.id, (where) => loupe.point(where));
      panes.set(data.id, pane);
    }
    pane.show(data);
    return pane.element;
  });
  const holder = element(id);
  // Moving a figure would take the focus from it.
  if (holder.children.length !== figures.length) {
    holder.replaceChildren(...figures);
  }
}

/**
 * Says why something was not done; nothing takes it back.
 * @param {string} message
 * @param {{ label: string, take: () => void }} [offer]
 */
function refuse(message, offer) {
  const box = element("message");
  box.hidden = message === "";
  element("panes").classList.toggle("stale", message !== "" && !offer);
  const text = document.createElement("p");
  text.textContent = message;
  box.replaceChildren(text);
  if (offer) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = offer.label;
    button.addEventListener("click", offer.take);
    box.append(button);
  }
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
}

engine.addEventListener("lost", () => {
  element("device").textContent = "The GPU was lost; asking for it again…";
});
engine.addEventListener("recovered", (event) => {
  tellRunning(/** @type {CustomEvent} */ (event).detail);
  update();
});

element("controls").addEventListener("submit", (event) => event.preventDefault());
element("window").addEventListener("input", update);
element("channel").addEventListener("input", update);
element("large").addEventListener("input", update);
element("lose").addEventListener("click", () => engine.lose());
chosen.addEventListener("input", async () => {
  await choose(/** @type {import("./engine.js").Kind} */ (chosen.value));
  update();
});

/** @param {import("./engine.js").Kind} kind */
async function choose(kind) {
  const running = await engine.choose(kind);
  chosen.value = running.kind;
  /** @type {HTMLButtonElement} */ (element("lose")).disabled = running.kind === "cpu";
  tellRunning(running);
}

try {
  await choose(new URLSearchParams(location.search).has("cpu") ? "cpu" : "gpu");
  const page = {
    picture: (/** @type {Picture} */ taken) => {
      picture = taken;
      return update();
    },
    refuse,
  };
  await new Sources(page, await engine.maxPixels()).draw();
} catch (error) {
  refuse(`This page could not start: ${error instanceof Error ? error.message : String(error)}.`);
}
for (const extra of extras) {
  extra(element("more").appendChild(document.createElement("section")), engine);
}

// Without it the page works as long as the network does; http on another machine has none.
await navigator.serviceWorker?.register(new URL("sw.js", import.meta.url)).catch(() => undefined);
