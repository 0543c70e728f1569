// A file server as small as the page needs, on a free port of localhost, under a path of its own:
// the page must not care where it lies. Also serves what tests ask for beside it.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * Serves directories, each under its prefix (`/some/path/`).
 * @param {Record<string, string>} directories
 * @param {number} [port] a free one if none is given
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export function serve(directories, port = 0) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const found = Object.entries(directories).find(([prefix]) => pathname.startsWith(prefix));
    // Normalizing takes every `..` away before the directory goes in front.
    const path = found && normalize(`/${decodeURIComponent(pathname.slice(found[0].length))}`);
    const file = found && join(found[1], path?.endsWith("/") ? `${path}index.html` : (path ?? ""));
    const known = file ? await stat(file).catch(() => undefined) : undefined;
    if (!file || !known?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": known.size });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const address = /** @type {import("node:net").AddressInfo} */ (server.address());
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ url: `http://localhost:${address.port}`, close });
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  const page = join(import.meta.dirname, "../../../target/web/page");
  const { url } = await serve({ "/": page }, Number(process.argv[2] ?? 8000));
  console.log(`${url}/`);
}
