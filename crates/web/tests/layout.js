// Where things lie, from a phone to a wide window and at every place the page is scrolled to: the
// glass is whole, on top and in sight, and covers nothing but pictures.

import assert from "node:assert/strict";

import { start as readDigits } from "./digits.js";
import { start } from "./page.js";

/** @typedef {import("playwright-core").Page} Page */

const ONE_COLUMN = [[320, 568], [360, 640], [390, 844], [768, 1024], [844, 390]];
const TWO_COLUMNS = [[1024, 600], [1280, 720], [1280, 900], [1440, 900], [1920, 1080]];

/**
 * Scrolls through the page and says what is wrong, and where first.
 * @param {boolean} oneColumn
 * @returns {string[]}
 */
function faults(oneColumn) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const get = (/** @type {string} */ selector) =>
    /** @type {HTMLElement} */ (document.querySelector(selector));
  const rect = (/** @type {string} */ selector) => get(selector).getBoundingClientRect();
  /** What the glass must not cover. */
  const others = ["header", "#controls", "#device", "#agreement", "#whole", "#times", "#more", "details"];
  const last = document.documentElement.scrollHeight - innerHeight;
  let stuck = 0;
  for (let scrolled = 0; scrolled < last + 60; scrolled += 60) {
    scrollTo(0, scrolled);
    const fault = (/** @type {string} */ what) => {
      if (!found.has(what)) {
        found.set(what, `${innerWidth}×${innerHeight}, scrolled to ${Math.round(scrollY)}: ${what}`);
      }
    };
    const glass = rect("#loupe");
    for (const selector of ["#loupe", "#told", "#glass-above .picture", "#glass-below .picture"]) {
      const part = rect(selector);
      if (part.width < 30 || part.height < 15) {
        fault(`${selector} is as small as ${part.width}×${part.height}`);
      }
      for (const x of [part.left + 1, part.right - 1]) {
        for (const y of [part.top + 1, part.bottom - 1]) {
          const at = document.elementFromPoint(x, y);
          // Outside the window there is nothing at a point.
          if (at && !get(selector).contains(at)) {
            const name = at.closest("[id]")?.id ?? at.tagName;
            fault(`a part of ${name} lies over a corner of ${selector}`);
          }
        }
      }
      if (part.top < glass.top || part.bottom > glass.bottom) {
        fault(`${selector} sticks out of the glass`);
      }
    }
    for (const selector of others) {
      const other = rect(selector);
      const [top, bottom] = [Math.max(glass.top, other.top), Math.min(glass.bottom, other.bottom)];
      const [left, right] = [Math.max(glass.left, other.left), Math.min(glass.right, other.right)];
      if (bottom - top > 0.5 && right - left > 0.5) {
        fault(`the glass covers ${selector}`);
      }
    }
    const pictures = rect("#pictures");
    const top = pictures.top + parseFloat(getComputedStyle(get("#loupe")).marginTop);
    const room = top + glass.height <= innerHeight && pictures.bottom >= innerHeight;
    if (!oneColumn && (glass.top < 0 || glass.bottom > innerHeight)) {
      fault("the glass is cut off");
    } else if (oneColumn && room) {
      stuck++;
      if (Math.abs(glass.bottom - innerHeight) > 1) {
        fault("the glass is not at the bottom, in sight of the pictures");
      }
    } else if (oneColumn && pictures.bottom < innerHeight && glass.top < rect("#level-panes").bottom) {
      fault("the last pictures cannot be scrolled out from under the glass");
    }
  }
  if (oneColumn && stuck === 0) {
    found.set("", `${innerWidth}×${innerHeight}: the pictures were never in sight`);
  }
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    found.set("wide", `${innerWidth}×${innerHeight}: the page is ${wide} wide`);
  }
  return [...found.values()];
}

/** Points at a pixel, so that the glass has something to show.
 * @param {Page} page */
async function point(page) {
  await page.locator("#pooled-1 .picture").hover({ position: { x: 30, y: 30 } });
  await page.locator("#told", { hasText: /^Level 1, .* its window has/ }).waitFor();
}

/** @param {Page} page @param {number[][]} sizes @param {boolean} oneColumn */
async function look(page, sizes, oneColumn) {
  const found = [];
  for (const [width = 0, height = 0] of sizes) {
    await page.setViewportSize({ width, height });
    // The glass moves in the frame that has the new size.
    await page.evaluate(async () => {
      await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
    });
    found.push(...(await page.evaluate(faults, oneColumn)));
  }
  return found;
}

/** @type {Record<string, (setting: import("./library.js").Setting) => Promise<void>>} */
export const cases = {
  async "the glass is whole and covers only pictures, in windows of every size"({
    browsers,
    address,
  }) {
    const { context, page, complaints } = await readDigits(browsers.webgpu, address);
    await point(page);
    assert.deepEqual(await look(page, ONE_COLUMN, true), []);
    // The glass leaves the pictures again.
    assert.deepEqual(await look(page, TWO_COLUMNS, false), []);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "the glass stays whole when something is refused, and says much"({ browsers, address }) {
    const { context, page, complaints } = await readDigits(browsers.webgpu, address);
    await point(page);
    const buffer = Buffer.from("not a picture");
    const name = "a file with a rather long name, of which there are many.txt";
    await page.locator("#file").setInputFiles({ name, mimeType: "text/plain", buffer });
    await page.locator("#message", { hasText: "is not a picture" }).waitFor();
    // The longest that it ever says: three winners of a large picture.
    const winner = "255 from row 1447, column 1447";
    await page.locator("#told").evaluate((told, winner) => {
      told.textContent =
        "Level 2, row 1447, column 1447: its window has 49 cells of level 1. The largest: " +
        `red ${winner}; green ${winner}; blue ${winner}.`;
    }, winner);
    assert.deepEqual(await look(page, ONE_COLUMN, true), []);
    assert.deepEqual(await look(page, TWO_COLUMNS, false), []);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a picture that the keys reach on a phone is not under the glass"(setting) {
    const { context, page, complaints } = await start(setting, {
      viewport: { width: 390, height: 844 },
    });
    await point(page);
    await page.locator("#panes").focus();
    await page.evaluate(() => scrollTo(0, 0));
    const reached = [];
    for (let turn = 0; turn < 10; turn++) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => {
          const picture = /** @type {HTMLElement} */ (document.activeElement);
          const { left, right, top, bottom } = picture.getBoundingClientRect();
          const whole = [left + 2, right - 2].every((x) =>
            [top + 2, bottom - 2].every((y) => picture.contains(document.elementFromPoint(x, y))),
          );
          return `${picture.parentElement?.id}${whole ? "" : " is covered"}`;
        }),
      );
    }
    const levels = [1, 2, 3].flatMap((level) => [`pooled-${level}`, `argmax-${level}`]);
    assert.deepEqual(reached, ["picture", "restored", "tilted", "difference", ...levels]);
    assert.deepEqual(complaints, []);
    await context.close();
  },
};
