// What goes wrong around a replica: proxies, tokens, and tabs that end. `network` has the connection, and
// `storage` what the device does not keep.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { MERGE, PLAIN_HOST, breakingProxy, setUp, token, until } from "./stage.mjs";

const stage = setUp();

/** A replica of a user's store in memory, at the server or at a proxy before it. */
const opened = (sub, { url } = stage.worker) =>
  stage.nacre.open({ url, token: token({ sub }, stage.worker.secret), storage: "memory" });

test("whatever a token's giver throws, it is asked again", async () => {
  const circular = Object.assign(new Error("no"), { problem: () => {} });
  circular.itself = circular;
  for (const thrown of [undefined, "no", circular]) {
    const sub = `giver-${typeof thrown}`;
    await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
    let fails = false;
    const bearer = () => (fails ? Promise.reject(thrown) : token({ sub }, stage.worker.secret));
    const proxy = await breakingProxy(stage.worker.url);
    const replica = await stage.nacre.open({ url: proxy.url, token: () => bearer(), storage: "memory" });
    await until(() => replica.status.state === "online", "never online");
    const errors = [];
    replica.on("error", ({ code }) => errors.push(code));
    fails = true;
    proxy.answer(() => ({ status: 401 }));
    proxy.pull(true);
    proxy.pull(false);
    await until(() => errors.includes("unauthenticated"), `never said: ${errors}`);
    fails = false;
    proxy.answer(undefined);
    await replica.update("project", "p", { y: 1 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    await replica.close();
    proxy.close();
  }
});

test("the token of another user is not taken", async () => {
  const [ann, ben] = [stage.worker.api("ann"), stage.worker.api("ben")];
  await ann.put("/v1/contexts/project/p", { data: { of: "ann" } });
  await ben.put("/v1/contexts/project/p", { data: { of: "ben" } });
  let sub = "ann";
  const proxy = await breakingProxy(stage.worker.url);
  const bearer = () => token({ sub }, stage.worker.secret);
  const replica = await stage.nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
  await until(() => replica.status.state === "online", "never online");
  // Somebody else has signed in by the time that a token is asked for again.
  sub = "ben";
  proxy.answer(() => ({ status: 401 }));
  proxy.pull(true);
  proxy.pull(false);
  await replica.update("project", "p", { mine: true });
  await until(() => replica.status.error?.code === "unauthenticated", "never said");
  proxy.answer();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.deepEqual((await ben.get("/v1/contexts/project/p")).body.data, { of: "ben" });
  assert.equal(replica.resolve("project", "p").data.of, "ann");
  sub = "ann";
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.deepEqual((await ann.get("/v1/contexts/project/p")).body.data, { of: "ann", mine: true });
  await replica.close();
  proxy.close();
});

test("a change of a commit that broke off is told once", async () => {
  const { WebSocket } = globalThis;
  let breaks = false;
  globalThis.WebSocket = class extends WebSocket {
    #broken = false;
    set onmessage(listener) {
      super.onmessage = (event) => {
        if (this.#broken) return;
        listener(event);
        if (!breaks || JSON.parse(event.data).type !== "change") return;
        [breaks, this.#broken] = [false, true];
        setTimeout(() => this.close(), 100);
      };
    }
  };
  const sub = "broken-off";
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  const replica = await opened(sub);
  await until(() => replica.status.state === "online", "never online");
  const told = [];
  replica.on("change", ({ context_id, version }) => told.push(`${context_id}@${version}`));
  breaks = true;
  await api.post("/v1/batch", {
    operations: [
      { action: "update", level: "project", context_id: "p", patch: { n: 1 } },
      { action: "create", level: "project", context_id: "q", data: {} },
    ],
  });
  await until(() => replica.has("project", "q"), "never there");
  globalThis.WebSocket = WebSocket;
  assert.deepEqual(told, ["p@2", "q@1"]);
  await replica.close();
});

test("a token that does not come keeps nobody from the copy that is here", async () => {
  const ann = await stage.person();
  const page = await ann.tab();
  const held = await page.evaluate(async (url) => {
    await replica.close();
    const { open } = await import("/package/index.js");
    const again = await open({ url, token: () => new Promise(() => {}) });
    await again.update("project", "p", { x: 2 });
    const { queued } = again.status;
    const { x } = again.resolve("project", "p").data;
    await again.close();
    return { queued, x };
  }, stage.worker.url);
  assert.deepEqual(held, { queued: 1, x: 2 });
  await ann.context.close();
});

test("waiting for the network piles nothing up", async () => {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  const proxy = await breakingProxy(stage.worker.url);
  try {
    await stage.worker.api("waiting").put("/v1/contexts/project/p", { data: {} });
    const bearer = token({ sub: "waiting" }, stage.worker.secret);
    const replica = await stage.nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
    let errors = 0;
    replica.on("error", () => (errors += 1));
    proxy.pull(true);
    await until(() => errors >= 4, "it does not try again");
    assert.ok(getEventListeners(window, "online").length <= 1);
    await replica.close();
  } finally {
    delete globalThis.addEventListener;
    proxy.close();
  }
});

test("however long or short the server tells to wait, it is not asked all the time", async () => {
  await stage.worker.api("busy").put("/v1/contexts/project/p", { data: {} });
  const bearer = token({ sub: "busy" }, stage.worker.secret);
  for (const after of ["2592000", "-1"]) {
    const proxy = await breakingProxy(stage.worker.url);
    const replica = await stage.nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
    await until(() => replica.status.state === "online", "never online");
    let asked = 0;
    const body = JSON.stringify({ code: "rate-limited", status: 429, detail: "wait" });
    proxy.answer((path) => {
      if (path.startsWith("/v1/contexts")) asked += 1;
      return { status: 429, headers: { "retry-after": after }, body };
    });
    proxy.pull(true);
    proxy.pull(false);
    await until(() => asked > 0, "never asked");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(asked <= 3, `${after}: asked ${asked} times`);
    await replica.close();
    proxy.close();
  }
});

test("who ends it when told of an error waits for nothing", async () => {
  await stage.worker.api("ended").put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  const replica = await opened("ended", proxy);
  await until(() => replica.status.state === "online", "never online");
  const { setTimeout } = globalThis;
  const waits = [];
  globalThis.setTimeout = (act, time, ...more) => (waits.push(time), setTimeout(act, time, ...more));
  try {
    const body = JSON.stringify({ code: "rate-limited", status: 429, detail: "wait" });
    const ended = new Promise((resolve) => replica.on("close", resolve));
    replica.on("error", ({ status }) => status === 429 && replica.close());
    proxy.answer(() => ({ status: 429, headers: { "retry-after": "3600" }, body }));
    proxy.pull(true);
    proxy.pull(false);
    await ended;
    await null;
    assert.deepEqual(
      waits.filter((time) => time > 600_000),
      [],
    );
  } finally {
    globalThis.setTimeout = setTimeout;
    proxy.close();
  }
});

test("an import larger than a request goes in several", async () => {
  await stage.worker.api("large").put("/v1/contexts/project/p", { data: {} });
  const replica = await opened("large");
  const item = (n) => ({ level: "project", id: `l${n}`, data: { text: "x".repeat(900_000) } });
  const items = Array.from({ length: 6 }, (_, n) => item(n));
  assert.deepEqual(await replica.import(JSON.stringify(items)), { created: 6, replaced: 0 });
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.deepEqual(replica.conflicts(), []);
  const together = items.map(({ level, id, data }) => ({ action: "update", level, context_id: id, patch: data }));
  await assert.rejects(replica.batch(together), { code: "too-large" });
  assert.equal(replica.status.queued, 0);
  await replica.close();
});

test("a proxy that takes less than the server does gets less at once", async () => {
  const api = stage.worker.api("narrow");
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const proxy = await breakingProxy(stage.worker.url);
  proxy.answer(
    (_path, body) => body?.length > 20_000 && { status: 413, body: "<html>Request Entity Too Large</html>" },
  );
  const replica = await opened("narrow", proxy);
  replica.online = false;
  for (let n = 0; n < 60; n++) await replica.append("project", "p", "/log", [`${n} ${"x".repeat(1000)}`]);
  await replica.update("project", "p", { long: "x".repeat(30_000) });
  replica.online = true;
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.equal((await api.get("/v1/contexts/project/p")).body.data.log.length, 60);
  assert.deepEqual(
    replica.pending().map(({ problem: { code, status, type } }) => [code, status, type]),
    [["too-large", 413, "urn:nacre:error:too-large"]],
  );
  await replica.close();
  proxy.close();
});

test("who answers in the server's place is not believed", async () => {
  const api = stage.worker.api("portal");
  await api.put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  const replica = await opened("portal", proxy);
  await until(() => replica.status.state === "online", "never online");
  const errors = [];
  replica.on("error", (error) => errors.push(error));
  for (const body of ["<html>Please log in</html>", "{}", "null"]) {
    proxy.answer((path) => path !== "/v1/live" && { status: 200, headers: { "content-type": "text/html" }, body });
    const before = errors.length;
    await replica.update("project", "p", { y: body });
    await until(() => errors.length > before, "never said");
    await assert.rejects(replica.deleted(), { code: "unavailable" });
    await assert.rejects(replica.restore("project", "gone"), { code: "unavailable" });
  }
  // Nor does its 403 say that there is no audit trail.
  proxy.answer(() => ({ status: 403, body: "<html>Forbidden</html>" }));
  await assert.rejects(replica.deleted(), { code: "unavailable" });
  assert.deepEqual(
    errors.filter(({ code }) => code !== "unavailable"),
    [],
  );
  proxy.answer();
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.equal((await api.get("/v1/contexts/project/p")).body.data.y, "null");
  assert.deepEqual(replica.conflicts(), []);
  await replica.close();
  proxy.close();
});

test("a replica that is closed says so", async () => {
  await stage.worker.api("closed").put("/v1/contexts/project/p", { data: {} });
  const replica = await opened("closed");
  await until(() => replica.status.state === "online", "never online");
  assert.equal(replica.status, replica.status);
  const { seq } = replica.status;
  await replica.close();
  assert.deepEqual([replica.status.state, replica.status.seq], ["offline", seq]);
  assert.throws(() => replica.resolve("project", "p"), { code: "closed" });
  assert.throws(() => replica.subscribe({ context: { level: "project", id: "p" } }, () => {}), { code: "closed" });
  await assert.rejects(replica.update("project", "p", {}), { code: "closed" });
});

test("switching to and fro is no error", async () => {
  const api = stage.worker.api("to-and-fro");
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const replica = await opened("to-and-fro");
  const codes = new Set();
  replica.on("error", ({ code }) => codes.add(code));
  for (let n = 0; n < 60; n++) {
    await replica.append("project", "p", "/log", [n]);
    for (let turns = n % 7; turns > 0; turns--) await null;
    if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, n % 20));
    replica.online = false;
    replica.online = true;
  }
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data.log.length, 60);
  assert.deepEqual([...codes], []);
  await replica.close();
});

test("what a tab does as it is closed holds in the others", async () => {
  const gina = await stage.person();
  const [first, second] = [await gina.tab(), await gina.tab()];
  await first.evaluate(() => replica.update("project", "p", { x: 2 }));
  await first.evaluate(() => replica.synced());
  await first.evaluate(async () => {
    replica.online = false;
    await replica.update("project", "p", { x: 3 });
  });
  await gina.api.patch("/v1/contexts/project/p", { x: 4 }, MERGE);
  await first.evaluate(() => (replica.online = true));
  await until(() => second.evaluate(() => replica.conflicts().length === 1), "no conflict");
  await first.evaluate(() => {
    const settled = replica.settle(replica.conflicts()[0], "theirs");
    return Promise.resolve().then(() => Promise.all([settled, replica.close()]));
  });
  await until(() => second.evaluate(() => replica.status.state === "online"), "never online");
  assert.deepEqual(await second.evaluate(() => replica.conflicts()), []);
  await gina.context.close();
});

test("a page of an origin without TLS reads and writes", async () => {
  const plain = { url: stage.site.url.replace("127.0.0.1", PLAIN_HOST) };
  const iris = await stage.person({ site: plain });
  const page = await iris.tab();
  assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof crypto.randomUUID]), [false, "undefined"]);
  await page.evaluate(async () => {
    await replica.update("project", "p", { y: 2 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  assert.equal((await iris.data()).y, 2);
  await iris.context.close();
});

test("waiting is for what was written so far, not for what comes after, and for what is being written", async () => {
  const sub = "writer";
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  const replica = await opened(sub, proxy);
  await until(() => replica.status.state === "online", "never online");
  // Whenever one is sent the next is written: there is always one that waits.
  let [n, isOver] = [0, false];
  const write = () => replica.update("project", "p", { n: ++n });
  proxy.answer((path) => void (path === "/v1/batch" && !isOver && write()));
  write();
  await replica.synced({ signal: AbortSignal.timeout(5000) }).finally(() => (isOver = true));
  const { n: there } = (await stage.worker.api(sub).get("/v1/contexts/project/p")).body.data;
  assert.ok(there >= 1, `${there} is there`);
  await replica.synced({ signal: AbortSignal.timeout(10_000) });
  assert.equal((await stage.worker.api(sub).get("/v1/contexts/project/p")).body.data.n, n);
  await replica.close();
  proxy.close();
});

test("what a write makes along is in no conflict with the next, though the commit is told in parts", async () => {
  const { WebSocket } = globalThis;
  // Each message comes in a turn of its own, and some time after the answer.
  globalThis.WebSocket = class extends WebSocket {
    #told = Promise.resolve();
    set onmessage(listener) {
      super.onmessage = (event) => {
        this.#told = this.#told
          .then(() => new Promise((resolve) => setTimeout(resolve, 30)))
          .then(() => listener(event));
      };
    }
  };
  const sub = "along";
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  const replica = await opened(sub, proxy);
  try {
    await until(() => replica.status.state === "online", "never online");
    let then;
    proxy.answer((path) => void (path === "/v1/batch" && (then ??= replica.update("branch", "b", { next: true }))));
    await replica.create("task", "t", { parent: "b", create_parents: true, data: {} });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    await then;
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(replica.conflicts(), []);
    assert.deepEqual((await stage.worker.api(sub).get("/v1/contexts/branch/b")).body.data, { next: true });
  } finally {
    globalThis.WebSocket = WebSocket;
    await replica.close();
    proxy.close();
  }
});
