// Prints the comparison with TensorFlow.js, and fails where values differ, an index differs without
// a tie, or we are not at least ten times as fast.

import { join } from "node:path";

import { launch, open } from "../tests/browser.js";
import { serve } from "../tests/server.js";

const LEAST = 10;

const here = import.meta.dirname;
const server = await serve({
  "/page/": join(here, "../../../target/web/page"),
  "/tests/": join(here, "../tests"),
  "/compare/": here,
});
const browser = await launch();
const { page } = await open(browser);
await page.goto(`${server.url}/tests/blank.html`);
for (const script of [
  "tfjs-core/dist/tf-core.min.js",
  "tfjs-backend-cpu/dist/tf-backend-cpu.min.js",
  "tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js",
]) {
  await page.addScriptTag({ url: `${server.url}/compare/node_modules/@tensorflow/${script}` });
}
const found = await page.evaluate(async (url) => {
  const { measure } = await import(`${url}/compare/measure.js`);
  return measure(`${url}/page/pkg/unpool.js`);
}, server.url);
await browser.close();
server.close();

const ratio = found.theirs / found.ours;
console.log(`max pooling with argmax, 2×2/2, 8×112×112×64, f32; medians in one page
adapter           ours ${found.adapters[0]}, TensorFlow.js ${found.adapters[1]}
TensorFlow.js     ${found.theirs.toFixed(1)} ms
unpool            ${found.ours.toFixed(1)} ms
ratio             ${ratio.toFixed(1)}
values differing  ${found.values} of ${found.elements}
argmax differing  ${found.indices} of ${found.elements}, of which ${found.ties} are ties:
                  unpool keeps the first in raster order, TensorFlow.js on WebGPU the last`);
/** @param {boolean} good @param {string} message */
const must = (good, message) => {
  if (!good) {
    console.error(message);
    process.exitCode = 1;
  }
};
must(!found.complaint, `the device complained: ${found.complaint}`);
must(found.adapters[0] === found.adapters[1], "the adapters are not the same");
must(found.values === 0, "values differ");
must(found.indices === found.ties, "some indices differ without a tie");
must(ratio >= LEAST, `less than ${LEAST} times as fast`);
