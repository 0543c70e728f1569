// Runs every browser test, prints each, and fails if one does: `node tests/run.js [PART OF A NAME]`.

import { join } from "node:path";

import { launch } from "./browser.js";
import { cases as digits } from "./digits.js";
import { cases as explained } from "./explained.js";
import { cases as layout } from "./layout.js";
import { cases as page } from "./page.js";
import { cases as robust } from "./robust.js";
import { cases as library } from "./library.js";
import { serve } from "./server.js";

const root = join(import.meta.dirname, "../../..");
// A path of two parts, so that nothing that assumes the root of a server goes unseen.
const server = await serve({
  "/some/path/": join(root, "target/web/page"),
  "/vectors/": join(root, "tests/vectors"),
  "/networks/": join(root, "crates/cnn/tests/data"),
  "/tests/": import.meta.dirname,
});
const browsers = { webgpu: await launch(), plain: await launch({ webgpu: false }) };
let failed = 0;

const cases = { ...library, ...page, ...digits, ...explained, ...layout, ...robust };
for (const [name, test] of Object.entries(cases)) {
  if (!name.includes(process.argv[2] ?? "")) {
    continue;
  }
  const start = performance.now();
  try {
    await test({ browsers, origin: server.url, address: `${server.url}/some/path/` });
    console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n      ${error instanceof Error ? error.stack : error}`);
  }
}

await browsers.webgpu.close();
await browsers.plain.close();
server.close();
process.exitCode = failed === 0 ? 0 : 1;
