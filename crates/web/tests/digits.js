// The section of the drawn digit: by mouse, finger, keys and buttons; what is explained; the CPU in
// its place; and a device that goes away.

import assert from "node:assert/strict";

import { open } from "./browser.js";

/** Two browsers' or two engines' scores are the same to this part of the largest. */
const ALLOWED = 1e-4;

/** Opens the page and waits until the first digit was read.
 * @param {import("playwright-core").Browser} browser @param {string} address
 * @param {import("playwright-core").BrowserContextOptions} [options] */
export async function start(browser, address, options) {
  const opened = await open(browser, options);
  await opened.page.goto(address);
  // The section comes below the first picture.
  await opened.page.locator("#digits").scrollIntoViewIfNeeded();
  await read(opened.page, 3);
  return opened;
}

/** Waits until a digit was read.
 * @param {import("playwright-core").Page} page @param {number} digit */
export async function read(page, digit) {
  await page.locator("#digit-verdict", { hasText: `Read as ${digit}.` }).waitFor();
  await page.locator("#digits:not([aria-busy])").waitFor();
}

/** The ten scores.
 * @param {import("playwright-core").Page} page */
export function scores(page) {
  return page
    .locator("#digit-scores li")
    .evaluateAll((rows) =>
      rows.map((row) => Number(/** @type {HTMLElement} */ (row).dataset["score"])),
    );
}

/** The three pictures, as different colours and as data.
 * @param {import("playwright-core").Page} page */
export function pictures(page) {
  return page
    .locator("#digit-gradient canvas, #digit-deconvnet canvas, #digit-guided canvas")
    .evaluateAll((canvases) =>
      canvases.map((element) => {
        const canvas = /** @type {HTMLCanvasElement} */ (element);
        const pixels = canvas.getContext("2d")?.getImageData(0, 0, 32, 32).data.buffer;
        const colours = new Set(new Uint32Array(pixels ?? new ArrayBuffer(0))).size;
        return { colours, url: canvas.toDataURL() };
      }),
    );
}

/** @param {{ colours: number, url: string }[]} found */
export function differ(found) {
  assert.equal(found.length, 3);
  for (const { colours } of found) {
    assert.ok(colours > 30, `${colours} values`);
  }
  assert.equal(new Set(found.map(({ url }) => url)).size, 3);
}

/** @param {number[]} found @param {number[]} expected */
export function close(found, expected) {
  const largest = Math.max(...expected.map(Math.abs));
  const off = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN))));
  assert.ok(off <= ALLOWED * largest, `${found} for ${expected}`);
}

/** @param {import("playwright-core").Page} page @param {(x: number, y: number) => Promise<void>} to
 * @param {[number, number][]} points from 0 to 1 of the pad */
async function along(page, to, points) {
  const box = await page.locator("#digit-pad").boundingBox();
  for (const [x, y] of points) {
    await to((box?.x ?? 0) + x * (box?.width ?? 0), (box?.y ?? 0) + y * (box?.height ?? 0));
  }
}

/** @type {[number, number][]} */
const SEVEN = [[0.3, 0.2], [0.5, 0.2], [0.7, 0.2], [0.6, 0.4], [0.5, 0.6], [0.4, 0.8]];

/** @type {Record<string, (setting: import("./library.js").Setting) => Promise<void>>} */
export const cases = {
  async "each of ten digits is read as itself, and looked back from in three ways"({
    browsers,
    address,
  }) {
    const { context, page, complaints } = await start(browsers.webgpu, address);
    for (let digit = 0; digit < 10; digit++) {
      await page.getByRole("button", { name: `Take a ${digit}` }).click();
      await read(page, digit);
      await page.locator("#digit-told", { hasText: `the score of class ${digit}` }).waitFor();
      differ(await pictures(page));
    }
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a digit drawn with the mouse is read while it is drawn, undone and cleared"({
    browsers,
    address,
  }) {
    const { context, page, complaints } = await start(browsers.webgpu, address);
    const { mouse } = page;
    await page.locator("#digit-pad").scrollIntoViewIfNeeded();
    await along(page, (x, y) => mouse.move(x, y), SEVEN.slice(0, 1));
    await mouse.down();
    // The digit that was there made room.
    assert.equal(await page.locator("#digit-pad polyline").count(), 1);
    await along(page, (x, y) => mouse.move(x, y, { steps: 4 }), SEVEN.slice(1));
    await read(page, 7);
    await mouse.up();
    await along(page, (x, y) => mouse.move(x, y), [[0.2, 0.9]]);
    differ(await pictures(page));
    const seven = await scores(page);
    await along(page, (x, y) => mouse.move(x, y), [[0.3, 0.8]]);
    await mouse.down();
    await along(page, (x, y) => mouse.move(x, y, { steps: 4 }), [[0.8, 0.8]]);
    await mouse.up();
    await page.locator("#digits:not([aria-busy])").waitFor();
    assert.notDeepEqual(await scores(page), seven);
    await page.getByRole("button", { name: "Undo" }).click();
    await read(page, 7);
    assert.deepEqual(await scores(page), seven);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.locator("#digit-verdict", { hasText: "Nothing is drawn yet." }).waitFor();
    assert.ok((await pictures(page)).every(({ colours }) => colours === 1));
    assert.ok(await page.getByRole("button", { name: "Clear" }).isDisabled());
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a digit is drawn with a finger, and with keys"({ browsers, address }) {
    const options = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    const { context, page, complaints } = await start(browsers.webgpu, address, options);
    await page.locator("#digit-pad").scrollIntoViewIfNeeded();
    const top = await page.evaluate(() => scrollY);
    const touch = await context.newCDPSession(page);
    const send = (/** @type {"touchStart" | "touchMove" | "touchEnd"} */ type) =>
      async (/** @type {number} */ x, /** @type {number} */ y) => {
        const touchPoints = type === "touchEnd" ? [] : [{ x, y }];
        await touch.send("Input.dispatchTouchEvent", { type, touchPoints });
      };
    await along(page, send("touchStart"), SEVEN.slice(0, 1));
    await along(page, send("touchMove"), SEVEN.slice(1));
    await send("touchEnd")(0, 0);
    await read(page, 7);
    assert.equal(await page.evaluate(() => scrollY), top, "a finger draws, and does not scroll");
    await page.locator("#digit-clear").click();
    await page.locator("#digit-pad").focus();
    await page.keyboard.press("Space");
    for (let steps = 0; steps < 14; steps++) {
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowRight");
    await read(page, 1);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `the page is ${wide} wide`);
    assert.deepEqual(complaints, []);
    await context.close();
  },
};
