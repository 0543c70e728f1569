// Debian's Chromium, headless, with WebGPU on SwiftShader or without WebGPU at all; and a page that
// fails its test for anything it says on the console.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
// A green picture that moves, and nobody who must allow it.
const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Where Chromium is: CHROMIUM says it, else it is Debian's. */
function executable() {
  const path = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: apt-get install chromium, or set CHROMIUM`);
  }
  return path;
}

/**
 * Starts a browser with an empty profile of its own.
 * @param {{ webgpu?: boolean }} [options]
 */
export function launch({ webgpu = true } = {}) {
  const args = [...QUIET, ...CAMERA, ...(webgpu ? WEBGPU : ["--disable-features=WebGPU"])];
  return chromium.launch({ executablePath: executable(), headless: true, args });
}

/**
 * A page that notes what goes wrong in it, in its worker, and on its way to the server.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("response", (response) => {
    if (response.status() >= 400) {
      complaints.push(`${response.status()} ${response.url()}`);
    }
  });
  return { context, page, complaints };
}
