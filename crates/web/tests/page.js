// The page as a person uses it: every control, every source of pictures, the pixels that are
// pointed at, and the files it was made of.

import assert from "node:assert/strict";

import { open } from "./browser.js";
import { png } from "./png.js";

/**
 * Opens the page and waits for its first picture.
 * @param {import("./library.js").Setting} setting
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function start({ browsers, address }, options) {
  const opened = await open(browsers.webgpu, options);
  await opened.page.goto(address);
  await shown(opened.page, "Every bit agrees");
  return opened;
}

/** Waits until the last run is done and the agreement says something.
 * @param {import("playwright-core").Page} page @param {string} words */
export async function shown(page, words) {
  await page.locator("#agreement", { hasText: words }).waitFor();
  await page.locator("body:not([aria-busy])").waitFor();
}

/** The extents of a pane.
 * @param {import("playwright-core").Page} page @param {string} id */
export function size(page, id) {
  return page
    .locator(`#${id} canvas`)
    .evaluate((/** @type {HTMLCanvasElement} */ { width, height }) => [width, height]);
}

/** Whether the two panes show the same.
 * @param {import("playwright-core").Page} page @param {string} a @param {string} b */
async function alike(page, a, b) {
  const data = await Promise.all(
    [a, b].map((id) =>
      page.locator(`#${id} canvas`).evaluate((/** @type {HTMLCanvasElement} */ c) => c.toDataURL()),
    ),
  );
  return data[0] === data[1];
}

/** @param {import("playwright-core").Page} page @param {string} id @param {number} value */
async function set(page, id, value) {
  await page.locator(`#${id}`).fill(String(value));
  await page.waitForFunction(() => !document.body.hasAttribute("aria-busy"));
}

/** @type {Record<string, (setting: import("./library.js").Setting) => Promise<void>>} */
export const cases = {
  async "the drawn picture tilts by naive arithmetic, and agrees with the CPU"(setting) {
    const { context, page, complaints } = await start(setting);
    assert.match((await page.locator("#device").textContent()) ?? "", /GPU: WebGPU .*swiftshader/);
    assert.deepEqual(await size(page, "picture"), [401, 301]);
    assert.deepEqual(await size(page, "pooled-3"), [51, 38]);
    assert.equal(await alike(page, "restored", "tilted"), false);
    assert.equal(await page.locator("#times tr").count(), 4);
    assert.match((await page.locator("#whole").textContent()) ?? "", /\d ms\..* CPU: .*\d ms/);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "every control changes what is shown, and every bit still agrees"(setting) {
    const { context, page, complaints } = await start(setting);
    /** @type {[string, number, string, number[]][]} */
    const steps = [
      ["levels", 1, "pooled-1", [201, 151]],
      ["kernel", 3, "pooled-1", [200, 150]],
      ["padding", 1, "pooled-1", [201, 151]],
      ["stride", 3, "pooled-1", [134, 101]],
      ["dilation", 3, "pooled-1", [133, 100]],
      ["levels", 2, "pooled-2", [44, 33]],
    ];
    for (const [id, value, pane, expected] of steps) {
      await set(page, id, value);
      assert.equal(await page.locator(`output[for=${id}]`).textContent(), String(value));
      await page.waitForFunction(
        ([pane, expected]) => {
          const canvas = /** @type {any} */ (document.querySelector(`#${pane} canvas`));
          return `${canvas?.width},${canvas?.height}` === expected;
        },
        [pane, String(expected)],
      );
      await shown(page, "Every bit agrees");
    }
    await page.locator("#ceil").uncheck();
    await shown(page, "Every bit agrees");
    const argmax = () =>
      page.locator("#argmax-1 canvas").evaluate((/** @type {any} */ c) => c.toDataURL());
    const green = await argmax();
    await page.locator("#channel").selectOption("blue");
    await page.locator("#argmax-1", { hasText: "blue channel" }).waitFor();
    assert.notEqual(await argmax(), green);
    await page.locator("#engine").selectOption("cpu");
    await shown(page, "Computed by the CPU path itself");
    await page.locator("#engine").selectOption("gpu");
    await shown(page, "Every bit agrees");
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "settings that do not fit are refused in words, and the page goes on"(setting) {
    const { context, page, complaints } = await start(setting);
    await page.locator("#ceil").uncheck();
    await page.locator("#file").setInputFiles(picture("small.png", 5, 3));
    await page.locator("#message", { hasText: "Level 2 cannot be pooled" }).waitFor();
    assert.deepEqual(await size(page, "picture"), [401, 301]);
    await set(page, "levels", 1);
    await page.locator("#message").waitFor({ state: "hidden" });
    assert.deepEqual(await size(page, "picture"), [5, 3]);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "an odd-sized picture is opened, and dropped, and comes back in its own size"(setting) {
    const { context, page, complaints } = await start(setting);
    await page.locator("#file").setInputFiles(picture("odd.png", 123, 77));
    await page.locator("#picture", { hasText: "123×77" }).waitFor();
    await shown(page, "Every bit agrees");
    assert.deepEqual(await size(page, "restored"), [123, 77]);
    const bytes = [...png(61, 45)];
    await page.evaluate((bytes) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    }, bytes);
    await page.locator("#picture", { hasText: "61×45" }).waitFor();
    await shown(page, "Every bit agrees");
    await page.locator("#drawn").click();
    await page.locator("#picture", { hasText: "401×301" }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "the camera runs until it is let go"(setting) {
    const { context, page, complaints } = await start(setting);
    await page.locator("#camera").click();
    await page.locator("#picture", { hasText: "320×240" }).waitFor();
    const first = await page
      .locator("#picture canvas")
      .evaluate((/** @type {HTMLCanvasElement} */ c) => c.toDataURL());
    await page.waitForFunction(
      (first) => /** @type {any} */ (document.querySelector("#picture canvas")).toDataURL() !== first,
      first,
    );
    assert.equal(await page.locator("#camera").getAttribute("aria-pressed"), "true");
    await page.locator("#camera").click();
    assert.equal(await page.locator("#camera").getAttribute("aria-pressed"), "false");
    // Only now: while it runs, the next frame follows the last, and the page is hardly ever idle.
    await shown(page, "Every bit agrees");
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a pooled pixel lights its window and winner, a cell its windows; by mouse and keys"(setting) {
    const { context, page, complaints } = await start(setting);
    await set(page, "kernel", 3);
    await page.locator("#pooled-1 .picture").hover({ position: { x: 30, y: 30 } });
    await page.locator("#told", { hasText: /^Level 1, .* its window has 9 cells/ }).waitFor();
    assert.equal(await page.locator("#picture rect.window").count(), 9);
    assert.equal(await page.locator("#picture rect.won").count(), 3);
    assert.equal(await page.locator("#glass-above rect.window").count(), 9);
    await page.locator("#picture .picture").focus();
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await page.locator("#told", { hasText: "Picture, row 10, column 10" }).waitFor();
    // Kernel 3 and stride 2: an even cell is in two windows on each axis.
    assert.equal(await page.locator("#pooled-1 rect.window").count(), 4);
    await page.keyboard.press("ArrowRight");
    await page.locator("#told", { hasText: "column 11" }).waitFor();
    assert.equal(await page.locator("#pooled-1 rect.window").count(), 2);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "everything is named for a screen reader, and fits a phone"(setting) {
    const { context, page, complaints } = await start(setting, {
      viewport: { width: 390, height: 844 },
    });
    await page.locator("#digit-pad").waitFor();
    const unnamed = await page
      .locator("button, input, select, [role=application]")
      .evaluateAll((elements) =>
        elements
          .filter((e) => {
            const labels = /** @type {HTMLInputElement} */ (e).labels;
            return !(e.getAttribute("aria-label") || labels?.length || e.textContent?.trim());
          })
          .map((e) => e.outerHTML),
      );
    assert.deepEqual(unnamed, []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `the page is ${wide} wide`);
    assert.deepEqual(complaints, []);
    await context.close();
  },
};

/** @param {string} name @param {number} width @param {number} height */
export function picture(name, width, height) {
  return { name, mimeType: "image/png", buffer: png(width, height) };
}
