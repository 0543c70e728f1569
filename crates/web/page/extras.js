// Sections that other crates add to the page: each gets a container of its own below the pictures,
// and the engine.

import { digits } from "./digits.js";

/** @type {((container: HTMLElement, engine: import("./engine.js").Engine) => void)[]} */
export const extras = [digits];
