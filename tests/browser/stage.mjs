// What the tests of the npm package stand on: the package as it was packed, a Worker, pages in
// Chromium, and a way to the Worker that breaks off.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before } from "node:test";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { root, start, token } from "../e2e/harness.mjs";

export { root, token };

/** The packed package. */
export const tarball = join(
  root,
  "dist",
  readdirSync(join(root, "dist")).find((name) => /^nacre-context-.*\.tgz$/.test(name)) ?? "no package",
);

/** A folder that goes when it is done with; the package is unpacked in `package/`. */
export function unpacked() {
  const folder = mkdtempSync(join(tmpdir(), "nacre-npm-"));
  execFileSync("tar", ["-xzf", tarball, "-C", folder]);
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A Worker that pages of any origin may call. */
export const startWorker = () => start({ vars: { NACRE_CORS_ORIGINS: "*" } });

const TYPES = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html",
};

/** Serves folders, and what `answer` says to other paths. */
export async function serve(folder, answer = () => undefined) {
  const server = createServer((asked, response) => {
    const path = new URL(asked.url, "http://x").pathname;
    const said = answer(path, asked);
    if (said) {
      response.writeHead(said.status ?? 200, said.headers).end(said.body);
      return;
    }
    try {
      const body = path === "/" ? "<!doctype html><title>t</title>" : readFileSync(join(folder, path));
      const headers = { "content-type": TYPES[extname(path)] ?? "text/html", "access-control-allow-origin": "*" };
      response.writeHead(200, headers).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

/** A host without TLS that is not this machine, as a page sees it: no secure context. */
export const PLAIN_HOST = "nacre.test";

/** Headless Chromium. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.NACRE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`],
  });

export const MERGE = { "content-type": "application/merge-patch+json" };

/**
 * What a file of tests stands on, from before its first test until after its last: a Worker, the package
 * for Node (`nacre`), and Chromium on a site with the package and what `answer` says. With `pages: false`
 * there is no Chromium. `person` is a new user on it, as `personOf` has them.
 */
export function setUp({ answer, pages = true } = {}) {
  const stage = {};
  // A replica that a failed test leaves open would keep the file from ending.
  const replicas = [];
  const opened = (replica) => (replicas.push(replica), replica);
  before(async () => {
    stage.files = unpacked();
    const nacre = await import(pathToFileURL(join(stage.files.folder, "package/node.js")));
    stage.nacre = { ...nacre, open: async (...of) => opened(await nacre.open(...of)) };
    [stage.worker, stage.browser] = await Promise.all([startWorker(), pages ? launch() : undefined]);
    if (pages) stage.site = await serve(stage.files.folder, answer);
  });
  after(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await stage.browser?.close();
    stage.site?.close();
    await stage.worker?.stop();
    stage.files?.[Symbol.dispose]();
  });
  let people = 0;
  stage.person = ({ site = stage.site, ...more } = {}) => personOf({ ...stage, site }, `user-${++people}`, more);
  return stage;
}

/** A user of their own with some contexts, and a browser profile. `prepare` runs in each page first. */
export async function personOf({ worker, browser, site }, sub, { url = worker.url, prepare = () => {} } = {}) {
  const api = worker.api(sub);
  await api.put("/v1/contexts/global/global", { data: { a: 1, b: { c: 2 }, api_key: "secret" } });
  await api.put("/v1/contexts/project/p", { data: { x: 1, log: [] } });
  const context = await browser.newContext();
  const bearer = token({ sub }, worker.secret);
  const tab = async () => {
    const page = await context.newPage();
    await page.goto(site.url);
    await page.evaluate(prepare);
    await page.evaluate(
      async ([url, bearer]) => {
        const { open } = await import("/package/index.js");
        globalThis.events = [];
        globalThis.replica = await open({ url, token: bearer });
        globalThis.replica.on("change", (change) => globalThis.events.push(change));
      },
      [url, bearer],
    );
    return page;
  };
  return { sub, api, tab, context, bearer, data: async () => (await api.get("/v1/contexts/project/p")).body.data };
}

/** Waits until `ask` gives something. */
export async function until(ask, message) {
  for (let tries = 0; tries < 200; tries++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(message);
}

/** A way to `target` that breaks off as `fate` says of each batch: `before` it gets there, `after`
 * it was carried out, or not at all. What it cuts takes the sockets along. */
export async function breakingProxy(target, fate = () => undefined) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  let [batches, down, instead] = [0, false, () => undefined];
  const server = createServer((asked, answered) => {
    if (down) return asked.socket.destroy();
    const end = asked.url === "/v1/batch" ? fate() : undefined;
    if (asked.url === "/v1/batch") batches += 1;
    const body = [];
    asked.on("data", (part) => body.push(part));
    asked.on("end", () => {
      if (end === "before") return asked.socket.destroy();
      const own = instead(asked.url, Buffer.concat(body));
      if (own?.hangs) return;
      if (own) return answered.writeHead(own.status, own.headers).end(own.body);
      const { url: path, method, headers } = asked;
      const on = request({ hostname, port, path, method, headers }, (answer) => {
        if (end === "after") {
          answer.resume().on("end", () => asked.socket.destroy());
        } else {
          answered.writeHead(answer.statusCode, answer.headers);
          answer.pipe(answered);
        }
      });
      on.on("error", () => asked.socket.destroy());
      on.end(Buffer.concat(body));
      if (end) for (const socket of sockets) socket.destroy();
    });
  });
  server.on("upgrade", (asked, socket, head) => {
    const own = instead(asked.url);
    if (own?.hangs) return socket.on("error", () => {});
    if (down || own) return socket.destroy();
    const on = connect(port, hostname, () => {
      const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
      on.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      on.write(head);
      socket.pipe(on).pipe(socket);
    });
    for (const end of [socket, on]) {
      end.on("error", () => {});
      end.on("close", () => (socket.destroy(), on.destroy(), sockets.delete(socket)));
    }
    sockets.add(socket);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    batches: () => batches,
    /** Has `answer` say what is answered instead, if anything, to a path and a body. A socket is
     * dropped then. With `hangs` nothing is ever answered. */
    answer: (answer = () => undefined) => (instead = answer),
    /** Pulls the plug, or puts it back. */
    pull(pulled) {
      down = pulled;
      if (down) sockets.forEach((socket) => socket.destroy());
    },
    close: () => (sockets.forEach((socket) => socket.destroy()), server.closeAllConnections(), server.close()),
  };
}
