// What of the network is explained, and where it runs: every choice, the CPU in place of a device,
// and a device that goes away.

import assert from "node:assert/strict";

import { close, differ, pictures, read, scores, start } from "./digits.js";

/** @type {Record<string, (setting: import("./library.js").Setting) => Promise<void>>} */
export const cases = {
  async "any class and any layer is explained"({ browsers, address }) {
    const { context, page, complaints } = await start(browsers.webgpu, address);
    const told = page.locator("#digit-told");
    const winning = await pictures(page);
    await page.locator("#digit-part").selectOption({ label: "class 8" });
    await told.filter({ hasText: "the score of class 8" }).waitFor();
    assert.notDeepEqual(await pictures(page), winning);
    assert.match((await page.locator("#digit-verdict").textContent()) ?? "", /Read as 3/);
    await page.locator("#digit-layer").selectOption("relu3");
    await told.filter({ hasText: /relu3, channel \d+, row \d+, column \d+/ }).waitFor();
    differ(await pictures(page));
    await page.locator("#digit-part").selectOption({ label: "channel 5" });
    await told.filter({ hasText: "relu3, channel 5" }).waitFor();
    await page.locator("#digit-part").selectOption({ label: "all units" });
    await told.filter({ hasText: "all of relu3" }).waitFor();
    differ(await pictures(page));
    await page.locator("#digit-layer").selectOption({ index: 0 });
    await told.filter({ hasText: "the score of class 3" }).waitFor();
    assert.deepEqual(await pictures(page), winning);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "the CPU reads the same digits, as chosen, by ?cpu, and without WebGPU"({
    browsers,
    address,
  }) {
    const { context, page, complaints } = await start(browsers.webgpu, address);
    const expected = await scores(page);
    await page.locator("#engine").selectOption("cpu");
    await page.locator("#device", { hasText: "Runs on the CPU" }).waitFor();
    await page.locator("#digits:not([aria-busy])").waitFor();
    close(await scores(page), expected);
    assert.deepEqual(complaints, []);
    await context.close();
    for (const [browser, query, words] of /** @type {const} */ ([
      [browsers.webgpu, "?cpu", "Runs on the CPU"],
      [browsers.plain, "", "WebGPU is not available here"],
    ])) {
      const { context, page, complaints } = await start(browser, address + query);
      assert.match((await page.locator("#device").textContent()) ?? "", new RegExp(words));
      close(await scores(page), expected);
      differ(await pictures(page));
      await page.getByRole("button", { name: "Take a 6" }).click();
      await read(page, 6);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  },

  async "digits are read again after the device is lost, and while it is"({ browsers, address }) {
    const { context, page, complaints } = await start(browsers.webgpu, address);
    const expected = await scores(page);
    await page.locator("summary").click();
    await page.locator("#lose").click();
    await page.getByRole("button", { name: "Take a 2" }).click();
    await read(page, 2);
    await page.evaluate(() => {
      const take = (/** @type {number} */ digit) => {
        const samples = document.querySelectorAll("#digit-samples button");
        /** @type {HTMLButtonElement} */ (samples[digit]).click();
      };
      take(5);
      document.getElementById("lose")?.click();
      take(3);
    });
    await read(page, 3);
    close(await scores(page), expected);
    await page.locator("#device", { hasText: "Runs on the GPU" }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  },
};
