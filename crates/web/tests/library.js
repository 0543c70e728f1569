// The library itself, as JavaScript has it: exact on WebGPU; and the network, to rounding.

import assert from "node:assert/strict";

import { open } from "./browser.js";

/** @typedef {{ browsers: Record<"webgpu" | "plain", import("playwright-core").Browser>,
 *   origin: string, address: string }} Setting */

const FILES = ["pytorch.jsonl", "tensorflow.jsonl", "onnxruntime.jsonl"];

/** @type {Record<string, (setting: Setting) => Promise<void>>} */
export const cases = {
  async "all 350 vectors are exact on WebGPU and on the CPU"({ browsers, origin, address }) {
    const { context, page, complaints } = await open(browsers.webgpu);
    await page.goto(`${origin}/tests/blank.html`);
    const { device, passed, failures } = await page.evaluate(
      async ([address, origin, files]) => {
        const texts = await Promise.all(
          files.map(async (file) => (await fetch(`${origin}/vectors/${file}`)).text()),
        );
        const { check } = await import(`${origin}/tests/vectors.js`);
        return check(`${address}pkg/unpool.js`, texts.join("\n"));
      },
      /** @type {[string, string, string[]]} */ ([address, origin, FILES]),
    );
    assert.deepEqual(failures, []);
    assert.equal(passed, 350);
    assert.match(device, /^webgpu/);
    assert.deepEqual(complaints, []);
    await context.close();
  },

  async "the digits' network agrees with PyTorch, on WebGPU and on the CPU"({
    browsers,
    origin,
    address,
  }) {
    const { context, page, complaints } = await open(browsers.webgpu);
    await page.goto(`${origin}/tests/blank.html`);
    const { compared, off } = await page.evaluate(
      async ([address, origin]) => {
        const { compare } = await import(`${origin}/tests/projections.js`);
        return compare(`${address}pkg/unpool.js`, `${origin}/networks/`);
      },
      /** @type {[string, string]} */ ([address, origin]),
    );
    assert.equal(compared, 42 * 3 * 2);
    // The tolerance of crates/cnn, which holds the native CPU and every adapter to the same numbers.
    for (const [what, part] of Object.entries(off)) {
      assert.ok(part < 1e-4, `${what}: off by ${part} of the largest value`);
    }
    assert.deepEqual(complaints, []);
    await context.close();
  },
};
