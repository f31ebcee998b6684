// A Worker with the page, and people with browsers who look at it.
//
// Each `person` has a browser profile of their own: another device, as far as the page can tell.
// Tabs of one person share it. Whatever a page throws, writes to its console as an error, or is
// refused by its Content-Security-Policy makes `done` fail.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { client, root, start, token } from "../e2e/harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOP = readFileSync(join(root, "examples/shop.ndjson"), "utf8");

/** Opens the stage; `lines` are the contexts that alice begins with. */
export async function open({ lines = SHOP } = {}) {
  const worker = await start();
  const browser = await chromium.launch({
    executablePath: process.env.NACRE_CHROMIUM ?? "/usr/bin/chromium",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const api = worker.api("alice");
  if (lines) {
    const { status, text } = await api.post("/v1/import", lines, { "content-type": "application/x-ndjson" });
    assert.equal(status, 200, text);
  }
  const faults = [];
  let { secret } = worker;

  const stage = {
    worker,
    /** The server as alice sees it. */
    api,
    /** A token that the Worker takes now. */
    token: (user, claims = {}) => token({ sub: user, ...claims }, secret),
    /** Makes every token so far worthless. */
    async renewSecret() {
      secret = randomBytes(32).toString("base64url");
      await worker.restart({ NACRE_JWT_SECRET: secret });
      stage.api = client(worker.url, stage.token("alice"));
    },
    /** A device of `user`, whose token has more claims if some are named: `tab` opens the page there,
     * over the wire of `url` if one is named. */
    async person(options = {}, user = "alice", url = worker.url, claims = {}) {
      const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
      context.setDefaultTimeout(30_000);
      const bearer = stage.token(user, claims);
      return {
        context,
        /**
         * The page at a fragment, with this person's token. What its policy refuses is a fault,
         * unless `refusals` collects it. A test in which something is refused on purpose leaves the
         * console out: browsers word that differently and report it when they like.
         */
        async tab(fragment = "", { refusals, console = true } = {}) {
          const page = await context.newPage();
          await watch(page, faults, { refusals, console });
          await page.goto(`${url}/#token=${bearer}`);
          await page.locator(".context").first().waitFor({ state: "attached" });
          if (fragment) await page.evaluate((fragment) => (location.hash = fragment), fragment);
          return page;
        },
        close: () => context.close(),
      };
    },
    /** Ends a test: nothing may have gone wrong in any page. */
    done() {
      assert.deepEqual(faults.splice(0), []);
    },
    faults,
    async close() {
      await browser.close();
      await worker.stop();
    },
  };
  return stage;
}

/** A wire to the Worker that can be pulled: what is under way breaks, what is new gets nowhere.
 * Without `live` it lets requests through and no WebSocket, as some networks do. */
export async function wireTo(url, { live = true } = {}) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  let pulled = false;
  const server = createServer((near) => {
    if (pulled) return near.destroy();
    const far = connect(Number(port), hostname);
    // A browser gives each WebSocket a connection of its own.
    if (!live) near.once("data", (start) => String(start).startsWith("GET /v1/live") && near.destroy());
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => (sockets.delete(one), other.end())); // what is under way gets through
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    pull() {
      pulled = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => void (pulled = false),
    close: () => (server.close(), sockets.forEach((socket) => socket.destroy())),
  };
}

async function watch(page, faults, { refusals, console }) {
  page.on("pageerror", (error) => faults.push(`thrown: ${error.stack ?? error}`));
  page.on("console", (message) => {
    if (!console) return;
    // A browser without a network says so for each request; that is what is being tested then.
    if (
      message.type() === "error" &&
      !/net::ERR_(INTERNET_DISCONNECTED|FAILED|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|CONNECTION_\w+)|^WebSocket connection to/.test(
        message.text(),
      )
    ) {
      faults.push(`console: ${message.text()}`);
    }
  });
  await page.exposeFunction("reportRefusal", (directive, source) => {
    if (refusals) refusals.push(directive);
    else faults.push(`refused by the policy: ${directive} ${source}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) => {
      globalThis.reportRefusal(effectiveDirective, `${blockedURI} ${sourceFile}:${lineNumber}`);
    });
  });
}

/** What axe-core finds wrong with what shows now: rule, and where. */
export async function violations(page) {
  // By way of the debugger, which the page's policy does not concern.
  await page.evaluate(axe);
  const results = await page.evaluate(() => globalThis.axe.run(document));
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
}

/** A value of the document that shows. */
export const value = (page, pointer) => page.locator(`.values [data-key="${pointer}"]`);

/** The letters of the layers with a part in a value. Their text, not how it is drawn: a row that
 * has not been painted yet (`content-visibility: auto`) has no `innerText`. */
export async function letters(page, pointer) {
  const row = value(page, pointer);
  await row.waitFor();
  return (await row.locator(".tag").allTextContents()).join("");
}

/** The button on top that counts something. */
export const counted = (page, label, count) => page.getByRole("button", { name: new RegExp(`^${label}\\s*${count}$`) });

/** Waits until `check` no longer throws. */
export async function eventually(check, milliseconds = 30_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
