// What can go wrong around the page: a huge picture, something that is no picture, a device that is
// lost, a browser without WebGPU, a network that is gone.

import assert from "node:assert/strict";
import { join } from "node:path";

import { open } from "./browser.js";
import { picture, shown, size, start } from "./page.js";
import { serve } from "./server.js";

/** @type {Record<string, (setting: import("./library.js").Setting) => Promise<void>>} */
export const cases = {
  async "a huge picture is refused politely, and taken scaled down if wished"(setting) {
    const { context, page, complaints } = await start(setting);
    await page.locator("#file").setInputFiles(picture("huge.png", 5001, 4001));
    await page.locator("#message", { hasText: "5001×4001 pixels, and at most 2,097,152" }).waitFor();
    assert.deepEqual(await size(page, "picture"), [401, 301]);
    await page.locator("#message button").click();
    await page.locator("#picture", { hasText: "1619×1295" }).waitFor();
    await shown(page, "Every bit agrees");
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a file that is no picture is refused by its name"(setting) {
    const { context, page, complaints } = await start(setting);
    const buffer = Buffer.from("not a picture");
    await page.locator("#file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer });
    await page.locator("#message", { hasText: "notes.txt is not a picture" }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "a lost device is asked for again, and the picture comes back"(setting) {
    const { context, page, complaints } = await start(setting);
    await page.evaluate(() => {
      const said = /** @type {string[]} */ ((/** @type {any} */ (globalThis).said = []));
      const device = /** @type {HTMLElement} */ (document.getElementById("device"));
      new MutationObserver(() => said.push(device.textContent ?? "")).observe(device, {
        childList: true,
      });
    });
    await page.locator("summary").click();
    for (let times = 0; times < 2; times++) {
      await page.evaluate(() => (/** @type {any} */ (globalThis).said.length = 0));
      await page.locator("#lose").click();
      await page.waitForFunction(() =>
        /** @type {any} */ (globalThis).said.some((/** @type {string} */ s) => s.includes("lost")),
      );
      await page.locator("#device", { hasText: "Runs on the GPU" }).waitFor();
      await shown(page, "Every bit agrees");
    }
    // Lost in the middle of a run, too.
    await page.locator("#level-panes").evaluate((levels) => levels.replaceChildren());
    await page.evaluate(() => {
      document.getElementById("drawn")?.click();
      document.getElementById("lose")?.click();
      document.getElementById("drawn")?.click();
    });
    await page.locator("#pooled-3").waitFor();
    await shown(page, "Every bit agrees");
    assert.match((await page.locator("#device").textContent()) ?? "", /^Runs on the GPU/);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "without WebGPU the page says so and computes on the CPU"({ browsers, address }) {
    const { context, page, complaints } = await open(browsers.plain);
    await page.goto(address);
    await page.locator("#device", { hasText: "WebGPU is not available here" }).waitFor();
    await shown(page, "Computed by the CPU path itself");
    assert.deepEqual(await size(page, "pooled-3"), [51, 38]);
    await page.locator("#pooled-1 .picture").hover();
    await page.locator("#told", { hasText: "its window has 4 cells" }).waitFor();
    assert.ok(await page.locator("#lose").isDisabled());
    await page.locator("#engine").selectOption("gpu");
    await page.waitForFunction(
      () => /** @type {any} */ (document.getElementById("engine")).value === "cpu",
    );
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "once loaded the page opens without a network"({ browsers }) {
    const directory = join(import.meta.dirname, "../../../target/web/page");
    const server = await serve({ "/elsewhere/": directory });
    const { context, page, complaints } = await open(browsers.webgpu);
    await page.goto(`${server.url}/elsewhere/`);
    await page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state);
    server.close();
    await page.reload();
    await shown(page, "Every bit agrees");
    await page.locator("#digits").scrollIntoViewIfNeeded();
    await page.locator("#digit-verdict", { hasText: "Read as 3" }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  },
};
