// What callers hand over by mistake, and what they are promised of listeners and of waiting.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { serve, token, unpacked } from "./stage.mjs";

let files, server, nacre, replica;
const TIME = "2026-01-01T00:00:00.000Z";
const VERSION = { version: 1, seq: 1, at: TIME, by: "alice", change: "create", summary: null };
const LAYER = { parent: "global", data: { a: 1, log: [1] }, rules: {} };
const TOLD = { version: 1, created_at: TIME, updated_at: TIME, updated_by: "alice", insights: [], progress: [] };
const ITEM = { level: "project", id: "p", ...LAYER, ...TOLD, history: [{ ...LAYER, ...VERSION }] };
before(async () => {
  files = unpacked();
  nacre = await import(pathToFileURL(join(files.folder, "package/node.js")));
  // A server that lets itself be copied, and is not reached again.
  server = await serve(files.folder, (path) =>
    path === "/v1/export" ? { headers: { "nacre-seq": "1" }, body: JSON.stringify(ITEM) } : undefined,
  );
});
after(() => {
  server?.close();
  files?.[Symbol.dispose]();
});

const bearer = () => token({ sub: "alice" }, "x".repeat(32));
const opened = async () => {
  replica = await nacre.open({ url: server.url, token: bearer(), storage: "memory" });
  return replica;
};
afterEach(() => replica?.close());

const cyclic = {};
cyclic.itself = cyclic;
let deep = 1;
for (let depth = 0; depth < 50_000; depth++) deep = { deep };
const NO_JSON = {
  NaN,
  Infinity: -Infinity,
  BigInt: 1n,
  Map: new Map([["a", 1]]),
  Set: new Set(),
  Promise: Promise.resolve(1),
  bytes: new Uint8Array(2),
  function: () => 1,
  symbol: Symbol("s"),
  "an invalid date": new Date(NaN),
  cyclic,
  deep,
  "a lone surrogate": "\ud800",
};

test("what is no JSON is refused, and is not written as something else", async () => {
  await opened();
  const before = replica.resolveText("project", "p");
  for (const [name, value] of Object.entries(NO_JSON)) {
    const writes = {
      update: () => replica.update("project", "p", { a: value }),
      put: () => replica.put("project", "p", { data: { a: [value] } }),
      append: () => replica.append("project", "p", "/log", [value]),
      batch: () => replica.batch([{ action: "update", level: "project", context_id: "p", patch: { a: value } }]),
    };
    for (const [write, act] of Object.entries(writes)) {
      const error = await act().then(
        () => undefined,
        (error) => error,
      );
      assert.ok(error instanceof nacre.NacreError, `${write} of ${name}: ${error}`);
      assert.equal(error.fault === "input" || error.fault === "limit", true, `${write} of ${name}: ${error.code}`);
    }
    assert.throws(() => replica.preview("project", "p", { patch: { a: value } }), nacre.NacreError, name);
  }
  await assert.rejects(replica.append("project", "p", "/log", [undefined]), nacre.NacreError);
  assert.equal(replica.resolveText("project", "p"), before);
  assert.equal(replica.status.queued, 0);
  // What JSON can say, it says.
  await replica.update("project", "p", { a: undefined, at: new Date(0), zero: -0, ...JSON.parse('{"__proto__":1}') });
  assert.equal(
    replica.resolveText("project", "p"),
    '{"__proto__":1,"a":1,"at":"1970-01-01T00:00:00.000Z","log":[1],"zero":0}',
  );
});

test("arguments that are not what they should be are refused as such", async () => {
  await opened();
  const wrong = [undefined, null, 1, 1n, {}, [], cyclic, NaN];
  const calls = {
    resolve: (x) => replica.resolve(x, "p"),
    resolveId: (x) => replica.resolve("project", x),
    resolveText: (x) => replica.resolveText(x, "p"),
    resolveBytes: (x) => replica.resolveBytes("project", x),
    get: (x) => replica.get("project", x),
    has: (x) => replica.has(x, x),
    diff: (x) => replica.diff("project", "p", { from: x, to: "no" }),
    preview: (x) => replica.preview("project", "p", x),
    previewId: (x) => replica.preview("project", x, { patch: {} }),
    subscribe: (x) => replica.subscribe({ context: { level: x, id: x } }, () => {}),
    topic: (x) => replica.subscribe(x, () => {}),
    batch: (x) => replica.batch(x === null || Array.isArray(x) ? [x] : x),
    import: (x) => replica.import(x),
    settle: (x) => replica.settle(x, "mine"),
    choice: (x) => replica.settle("none", x),
    update: (x) => replica.update("project", x, {}),
    patch: (x) =>
      replica.update("project", "p", Array.isArray(x) || (x?.constructor === Object && x !== cyclic) ? 1 : x),
    restore: (x) => replica.restore("project", x),
    url: (x) => nacre.open({ url: x, token: "t" }),
    under: (x) =>
      nacre.open({ url: server.url, token: bearer(), under: { level: "project", id: x }, storage: "memory" }),
  };
  for (const [name, act] of Object.entries(calls)) {
    for (const value of wrong) {
      let error;
      try {
        await act(value);
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(
        error instanceof nacre.NacreError,
        `${name} of ${typeof value} ${Array.isArray(value)}: ${error?.stack}`,
      );
    }
  }
  assert.equal(replica.status.queued, 0);
});

const noop = () => {};
const P = ["project", "p"];
/** Calls that are wrong in one argument: what the error must say of it. */
const WRONG = {
  "`options` must be an object with any of url, token, under, online, storage": [
    () => nacre.open(),
    () => nacre.open(null),
    () => nacre.open("https://nacre.example"),
  ],
  "`options` must not have `storge`": [() => nacre.open({ url: server.url, token: bearer(), storge: "memory" })],
  "`url` must be an address that begins with http:// or https://": [
    () => nacre.open({ token: bearer() }),
    () => nacre.open({ url: "nacre.example", token: bearer() }),
    () => nacre.open({ url: "ftp://nacre.example", token: bearer() }),
  ],
  "`token` must be": [
    () => nacre.open({ url: server.url }),
    () => nacre.open({ url: server.url, token: 5 }),
    () => nacre.open({ url: server.url, token: () => undefined }),
    () => nacre.open({ url: server.url, token: "" }),
  ],
  "`under` must be an object with `level` and `id`": [
    () => nacre.open({ url: server.url, token: bearer(), under: "project/p" }),
    () => nacre.open({ url: server.url, token: bearer(), under: [] }),
  ],
  "`under.level` must be one of global, project, branch, task": [
    () => nacre.open({ url: server.url, token: bearer(), under: {} }),
    () => nacre.open({ url: server.url, token: bearer(), under: { level: "planet", id: "p" } }),
  ],
  "`under.id` must be": [() => nacre.open({ url: server.url, token: bearer(), under: { level: "project" } })],
  "`online` must be": [
    () => nacre.open({ url: server.url, token: bearer(), online: "no" }),
    () => (replica.online = "no"),
    () => (replica.online = undefined),
  ],
  "`storage` must be one of": [() => nacre.open({ url: server.url, token: bearer(), storage: "disk" })],
  '`topic` must be "all", or an object with one of context, subtree, resolved': [
    () => replica.subscribe({ topic: "x" }, noop),
    () => replica.subscribe(undefined, noop),
    () => replica.subscribe("everything", noop),
    () => replica.subscribe({}, noop),
    () => replica.subscribe({ context: { level: "project", id: "p" }, resolved: { level: "project", id: "p" } }, noop),
  ],
  "`topic.resolved` must be": [() => replica.subscribe({ resolved: "p" }, noop)],
  "`topic.context.level` must be": [() => replica.subscribe({ context: { level: "planet", id: "p" } }, noop)],
  "`listener` must be a function": [
    () => replica.subscribe("all"),
    () => replica.subscribe("all", "name"),
    () => replica.on("status"),
  ],
  "`event` must be one of status, change, conflict, write, entry, error, close": [
    () => replica.on("statuss", noop),
    () => replica.on("toString", noop),
    () => replica.on(undefined, noop),
  ],
  "`level` must be one of": [
    () => replica.children("planet", "p"),
    () => replica.resolveText("planet", "p"),
    () => replica.preview("planet", "p", { patch: {} }),
    () => replica.merge(undefined, "p", { base: {}, draft: {} }),
  ],
  "level must be one of": [() => replica.resolve("planet", "p"), () => replica.get(), () => replica.has("planet", "p")],
  "`id` must be a string": [() => replica.children("project"), () => replica.resolveBytes("project")],
  "`options` must be an object with any of path, at": [
    () => replica.resolve(...P, "/a"),
    () => replica.resolveBytes(...P, null),
    () => replica.explain(...P, []),
  ],
  "`options` must not have `pth`, only one of path, at": [() => replica.resolveText(...P, { pth: "/a" })],
  "`explain` must be": [() => replica.resolve(...P, { explain: "yes" })],
  "`path` must be": [() => replica.resolveText(...P, { path: 5 })],
  "`filter` must be": [() => replica.list(null), () => replica.list("project")],
  "`filter` must not have `levl`": [() => replica.list({ levl: "project" })],
  "`data` must be": [() => replica.list({ data: "yes" })],
  "`from` must be": [() => replica.diff(...P), () => replica.diff(...P, { from: "one" })],
  "`trial` is required": [() => replica.preview(...P)],
  "`edits` is required": [() => replica.merge(...P)],
  "`context` must be an object": [() => replica.create("project", "q"), () => replica.put(...P, "{}")],
  "`context` must not have `dta`": [() => replica.put(...P, { dta: {} })],
  "`options` must be an object with any of summary": [
    () => replica.update(...P, {}, "why"),
    () => replica.remove(...P, true),
    () => replica.restore(...P, null),
  ],
  "`options` must not have `sumary`": [() => replica.move(...P, "q", { sumary: "why" })],
  "`insight` must be an object": [() => replica.addInsight(...P, "noted"), () => replica.addInsight(...P)],
  "`note` must be an object": [() => replica.addProgress(...P, "done")],
  "`operations` must be an array": [() => replica.batch(), () => replica.batch({}), () => replica.batch("[]")],
  "`text` must be a string": [() => replica.import([{ level: "project", id: "q", data: {} }])],
  '`mode` must be "create" or "replace"': [() => replica.import("[]", { mode: "merge" })],
  "`options` must be an object with any of mode": [() => replica.import("[]", "replace")],
  "`conflict.id` must be": [() => replica.settle(), () => replica.settle({})],
  "`write.key` must be a string": [() => replica.retry(), () => replica.retry(5), () => replica.discard({})],
  "`signal` must be an AbortSignal": [() => replica.synced({ signal: 1000 })],
  "`options` must be an object with any of signal": [() => replica.synced(1000)],
  "`cursor` must be a string": [() => replica.deleted({ cursor: 5 })],
};

test("the error of a wrong argument names it, and says what is allowed", async () => {
  await opened();
  for (const [detail, calls] of Object.entries(WRONG)) {
    for (const act of calls) {
      let error;
      try {
        await (await act())?.close?.();
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(error instanceof nacre.NacreError, `${act}: ${error?.stack}`);
      assert.ok(error.message.includes(detail), `${act}: ${error.message}`);
      assert.ok(["input", "denied"].includes(error.fault), `${act}: ${error.fault}`);
    }
  }
  assert.equal(replica.status.queued, 0);
  assert.equal(replica.online, true);
});

test("an error never quotes a token", async () => {
  const secret = "secret-of-somebody";
  await assert.rejects(nacre.open({ url: server.url, token: secret }), ({ message }) => !message.includes(secret));
  await assert.rejects(nacre.open({ url: server.url, token: [secret] }), ({ message }) => !message.includes(secret));
});

test("an address that leads to no Nacre server is said to be wrong", async () => {
  const html = { headers: { "content-type": "text/html" }, body: "<!doctype html><title>Hello</title>" };
  for (const status of [200, 404]) {
    const site = await serve(files.folder, () => ({ ...html, status }));
    await assert.rejects(nacre.open({ url: site.url, token: bearer(), storage: "memory" }), ({ code, message }) => {
      assert.equal(code, "unavailable");
      const said = `\`url\` must lead to a Nacre server: ${site.url}/v1/export answered ${status} with text/html`;
      return assert.equal(message, said) ?? true;
    });
    site.close();
  }
  const nowhere = nacre.open({ url: "http://127.0.0.1:9", token: bearer(), storage: "memory" });
  await assert.rejects(nowhere, ({ code, message }) => code === "unavailable" && message.includes("`url`"));
});

test("`under` that names nothing is an error, and leaves no copy behind", async () => {
  const under = { level: "project", id: "nowhere" };
  await assert.rejects(
    nacre.open({ url: server.url, token: bearer(), under, storage: "memory" }),
    ({ code, message }) => {
      assert.equal(code, "not-found");
      return message.includes("`under` must name a context: there is no project `nowhere`");
    },
  );
});

test("a listener that was ended is called no more, not even by the event that ended it", async () => {
  await opened();
  const told = [];
  const ends = [];
  ends.push(replica.on("status", () => (told.push("first"), ends[1](), replica.on("status", () => {}))));
  ends.push(replica.on("status", () => told.push("second")));
  await replica.update("project", "p", { b: 1 });
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(told.includes("first"));
  assert.ok(!told.includes("second"), told.join());
  ends[0]();
});

test("what is closed while it tells tells no more", async () => {
  await opened();
  const told = [];
  replica.on("close", () => told.push("close"));
  replica.subscribe({ context: { level: "project", id: "p" } }, () => replica.close());
  replica.subscribe({ context: { level: "project", id: "p" } }, () => told.push("change"));
  replica.on("status", () => told.push("status"));
  await replica.update("project", "p", { b: 1 });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(told.at(-1), "close", told.join());
});
