// What goes wrong around a replica: networks, proxies, tokens, storage and tabs that end.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import {
  MERGE,
  PLAIN_HOST,
  breakingProxy,
  launch,
  personOf,
  serve,
  startWorker,
  token,
  unpacked,
  until,
} from "./stage.mjs";

let worker, browser, files, site, nacre;
before(async () => {
  files = unpacked();
  nacre = await import(pathToFileURL(join(files.folder, "package/node.js")));
  [worker, browser] = await Promise.all([startWorker(), launch()]);
  site = await serve(files.folder);
});
after(async () => {
  await browser?.close();
  site?.close();
  await worker?.stop();
  files?.[Symbol.dispose]();
});

let people = 0;
const person = () => personOf({ worker, browser, site }, `user-${++people}`);

test("whatever a token's giver throws, it is asked again", async () => {
  const circular = Object.assign(new Error("no"), { problem: () => {} });
  circular.itself = circular;
  for (const thrown of [undefined, "no", circular]) {
    const sub = `giver-${typeof thrown}`;
    await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
    let fails = false;
    const bearer = () => (fails ? Promise.reject(thrown) : token({ sub }, worker.secret));
    const proxy = await breakingProxy(worker.url);
    const replica = await nacre.open({ url: proxy.url, token: () => bearer(), storage: "memory" });
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

/** Counts the sockets that are opened, until it is disposed of. `each` is called with every one. */
function countingSockets(each = () => {}) {
  const { WebSocket } = globalThis;
  const opened = [];
  globalThis.WebSocket = class extends WebSocket {
    constructor(...asked) {
      super(...asked);
      opened.push(Date.now());
      each(this);
    }
  };
  return { opened, [Symbol.dispose]: () => (globalThis.WebSocket = WebSocket) };
}

test("an expired token is told at once, and no socket is opened with it again", async () => {
  const sub = "expired";
  const api = worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets();
  let bearer = token({ sub, exp: Math.floor(Date.now() / 1000) + 3 }, worker.secret);
  const replica = await nacre.open({ url: worker.url, token: () => bearer, storage: "memory" });
  await until(() => replica.status.state === "online", "never online");
  const told = [];
  replica.on("status", ({ state, error }) => told.push(`${state} ${error?.code}`));
  let errors = 0;
  replica.on("error", () => (errors += 1));
  await until(() => replica.status.error?.code === "unauthenticated", "never said");
  assert.equal(replica.status.error.fault, "denied");
  // The server takes such a token for another half a minute, and closes the socket at once.
  await until(() => errors >= 3, "it does not ask again");
  assert.equal(sockets.opened.length, 1);
  const since = told.slice(told.indexOf("offline unauthenticated"));
  assert.deepEqual(new Set(since), new Set(["offline unauthenticated"]));
  bearer = token({ sub }, worker.secret);
  await replica.update("project", "p", { y: 1 });
  await replica.synced({ signal: AbortSignal.timeout(10_000) });
  await until(() => replica.status.state === "online", "never online again");
  assert.equal(sockets.opened.length, 2);
  await replica.close();
});

test("a token that is renewed in time is no error", async () => {
  const sub = "renewed";
  await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets();
  let soon = 2;
  const bearer = () => {
    const exp = Math.floor(Date.now() / 1000) + soon;
    soon = 3600;
    return token({ sub, exp }, worker.secret);
  };
  const replica = await nacre.open({ url: worker.url, token: bearer, storage: "memory" });
  const told = [];
  replica.on("error", ({ code }) => told.push(code));
  await until(() => sockets.opened.length === 2, "no other socket");
  await until(() => replica.status.state === "online", "never online again");
  assert.deepEqual(told, []);
  await replica.close();
});

test("a refused token is asked about without a socket", async () => {
  const sub = "refused";
  await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(worker.url);
  using sockets = countingSockets();
  const replica = await nacre.open({ url: proxy.url, token: token({ sub }, worker.secret), storage: "memory" });
  await until(() => replica.status.state === "online", "never online");
  let errors = 0;
  replica.on("error", ({ code }) => (errors += code === "unauthenticated"));
  const body = JSON.stringify({ code: "unauthenticated", status: 401, detail: "no" });
  proxy.answer(() => ({ status: 401, body }));
  proxy.pull(true);
  proxy.pull(false);
  await until(() => errors >= 3, "never said");
  assert.equal(sockets.opened.length, 2); // the one that broke off, and one that was tried
  proxy.answer();
  await until(() => replica.status.state === "online", "never online again");
  await replica.close();
  proxy.close();
});

test("a socket that is confirmed and cut again and again is opened ever more slowly", async () => {
  const sub = "flapping";
  await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets((socket) =>
    socket.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).type === "subscribed") setTimeout(() => socket.close(), 60);
    }),
  );
  const replica = await nacre.open({ url: worker.url, token: token({ sub }, worker.secret), storage: "memory" });
  await until(() => sockets.opened.length === 5, "it is not opened again");
  await replica.close();
  const waits = sockets.opened.slice(1).map((at, n) => at - sockets.opened[n]);
  assert.ok(
    waits.every((wait, n) => n === 0 || wait > waits[n - 1]),
    waits.join(),
  );
  assert.ok(waits.at(-1) > 1000, waits.join());
});

for (const [how, answer] of Object.entries({ dropped: {}, swallowed: { hangs: true } })) {
  test(`where upgrades to a WebSocket are ${how}, writes are sent and changes come by requests`, async () => {
    const sub = `no-sockets-${how}`;
    const window = new EventTarget();
    globalThis.addEventListener = window.addEventListener.bind(window);
    const api = worker.api(sub);
    await api.put("/v1/contexts/project/p", { data: { log: [] } });
    const proxy = await breakingProxy(worker.url);
    proxy.answer((path) => (path === "/v1/live" ? answer : undefined));
    const replica = await nacre.open({ url: proxy.url, token: token({ sub }, worker.secret), storage: "memory" });
    delete globalThis.addEventListener;
    await until(() => replica.status.polling, "it does not poll");
    await until(() => replica.status.state === "online", "never online");
    assert.equal(replica.status.error, null);
    for (let n = 0; n < 3; n++) await replica.append("project", "p", "/log", [n]);
    await replica.synced({ signal: AbortSignal.timeout(20_000) });
    const told = new Promise((resolve) => replica.subscribe({ context: { level: "project", id: "p" } }, resolve));
    await api.patch("/v1/contexts/project/p", { theirs: 1 }, MERGE);
    await told;
    await replica.append("project", "p", "/log", [3]);
    await replica.synced({ signal: AbortSignal.timeout(20_000) });
    assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { log: [0, 1, 2, 3], theirs: 1 });
    await until(() => replica.status.state === "online", "never online again");
    const view = (await api.get("/v1/contexts/project/p/resolved")).body;
    assert.deepEqual(replica.resolve("project", "p"), view);
    assert.deepEqual([replica.conflicts(), replica.status.polling], [[], true]);

    proxy.answer();
    await until(() => {
      window.dispatchEvent(new Event("online")); // the host is on another network
      return !replica.status.polling && replica.status.state === "online";
    }, "no socket is tried again");
    await api.patch("/v1/contexts/project/p", { theirs: 2 }, MERGE);
    await until(() => replica.resolve("project", "p").data.theirs === 2, "the change never came");
    await replica.close();
    proxy.close();
  });
}

test("a socket that opens and carries nothing is given up, and writes are sent by requests", async () => {
  const sub = "mute";
  const api = worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  using _ = countingSockets((socket) => (socket.send = () => {}));
  const replica = await nacre.open({ url: worker.url, token: token({ sub }, worker.secret), storage: "memory" });
  await replica.update("project", "p", { y: 1 });
  await replica.synced({ signal: AbortSignal.timeout(15_000) });
  assert.equal(replica.status.polling, true);
  assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { y: 1 });
  await replica.close();
});

test("a conflict comes up where changes are polled", async () => {
  const sub = "polled-conflict";
  const api = worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: { n: 1 } });
  const proxy = await breakingProxy(worker.url);
  proxy.answer((path) => (path === "/v1/live" ? {} : undefined));
  const replica = await nacre.open({ url: proxy.url, token: token({ sub }, worker.secret), storage: "memory" });
  await until(() => replica.status.polling, "it does not poll");
  replica.online = false;
  await replica.update("project", "p", { n: 2 });
  await api.patch("/v1/contexts/project/p", { n: 3 }, MERGE);
  replica.online = true;
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  const [{ id, theirs, mine }] = replica.conflicts();
  assert.deepEqual([theirs, mine], [3, 2]);
  await replica.settle(id, "mine");
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { n: 2 });
  await replica.close();
  proxy.close();
});

test("the token of another user is not taken", async () => {
  const [ann, ben] = [worker.api("ann"), worker.api("ben")];
  await ann.put("/v1/contexts/project/p", { data: { of: "ann" } });
  await ben.put("/v1/contexts/project/p", { data: { of: "ben" } });
  let sub = "ann";
  const proxy = await breakingProxy(worker.url);
  const bearer = () => token({ sub }, worker.secret);
  const replica = await nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
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
  const api = worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  const replica = await nacre.open({ url: worker.url, token: token({ sub }, worker.secret), storage: "memory" });
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
  const ann = await person();
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
  }, worker.url);
  assert.deepEqual(held, { queued: 1, x: 2 });
  await ann.context.close();
});

test("waiting for the network piles nothing up", async () => {
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  const proxy = await breakingProxy(worker.url);
  try {
    await worker.api("waiting").put("/v1/contexts/project/p", { data: {} });
    const bearer = token({ sub: "waiting" }, worker.secret);
    const replica = await nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
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
  await worker.api("busy").put("/v1/contexts/project/p", { data: {} });
  const bearer = token({ sub: "busy" }, worker.secret);
  for (const after of ["2592000", "-1"]) {
    const proxy = await breakingProxy(worker.url);
    const replica = await nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
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
  await worker.api("ended").put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(worker.url);
  const replica = await nacre.open({
    url: proxy.url,
    token: token({ sub: "ended" }, worker.secret),
    storage: "memory",
  });
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
  await worker.api("large").put("/v1/contexts/project/p", { data: {} });
  const replica = await nacre.open({
    url: worker.url,
    token: token({ sub: "large" }, worker.secret),
    storage: "memory",
  });
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
  const api = worker.api("narrow");
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const proxy = await breakingProxy(worker.url);
  proxy.answer(
    (_path, body) => body?.length > 20_000 && { status: 413, body: "<html>Request Entity Too Large</html>" },
  );
  const replica = await nacre.open({
    url: proxy.url,
    token: token({ sub: "narrow" }, worker.secret),
    storage: "memory",
  });
  replica.online = false;
  for (let n = 0; n < 60; n++) await replica.append("project", "p", "/log", [`${n} ${"x".repeat(1000)}`]);
  await replica.update("project", "p", { long: "x".repeat(30_000) });
  replica.online = true;
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  assert.equal((await api.get("/v1/contexts/project/p")).body.data.log.length, 60);
  assert.deepEqual(
    replica.conflicts().map(({ problem }) => problem.code),
    ["too-large"],
  );
  await replica.close();
  proxy.close();
});

test("who answers in the server's place is not believed", async () => {
  const api = worker.api("portal");
  await api.put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(worker.url);
  const replica = await nacre.open({
    url: proxy.url,
    token: token({ sub: "portal" }, worker.secret),
    storage: "memory",
  });
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
  await worker.api("closed").put("/v1/contexts/project/p", { data: {} });
  const replica = await nacre.open({
    url: worker.url,
    token: token({ sub: "closed" }, worker.secret),
    storage: "memory",
  });
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
  const api = worker.api("to-and-fro");
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const replica = await nacre.open({
    url: worker.url,
    token: token({ sub: "to-and-fro" }, worker.secret),
    storage: "memory",
  });
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
  const gina = await person();
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
  const plain = { url: site.url.replace("127.0.0.1", PLAIN_HOST) };
  const iris = await personOf({ worker, browser, site: plain }, `user-${++people}`);
  const page = await iris.tab();
  assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof crypto.randomUUID]), [false, "undefined"]);
  await page.evaluate(async () => {
    await replica.update("project", "p", { y: 2 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  assert.equal((await iris.data()).y, 2);
  await iris.context.close();
});

/** A page with the package, in which storage can be made to fail. */
async function failing() {
  const someone = await person();
  const page = await someone.context.newPage();
  await page.goto(site.url);
  await page.evaluate(
    async ([url, token]) => {
      const { open } = await import("/package/index.js");
      globalThis.unhandled = [];
      addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
      globalThis.begin = async () => {
        try {
          return (globalThis.replica = await open({ url, token })) && "open";
        } catch (error) {
          return error.code ?? String(error);
        }
      };
      globalThis.instead = (name, act) => {
        const store = IDBObjectStore.prototype;
        const real = store[name];
        store[name] = function (...asked) {
          return act(() => real.apply(this, asked), this, asked);
        };
        return () => (store[name] = real);
      };
    },
    [worker.url, someone.bearer],
  );
  return { ...someone, page };
}

/** Opens a replica in a page or frame: the code of the error, or what the replica shows. */
const openedIn = (frame, url, token, storage) =>
  frame.evaluate(
    async ([base, options]) => {
      const { open, NacreError } = await import(`${base}/package/index.js`);
      try {
        const replica = await open(options);
        const { x } = replica.resolve("project", "p").data;
        await replica.update("project", "p", { y: 1 });
        await replica.synced({ signal: AbortSignal.timeout(10_000) });
        await replica.close();
        return x;
      } catch (error) {
        return error instanceof NacreError ? `${error.code}: ${error.message}` : String(error);
      }
    },
    [site.url, { url, token, ...(storage && { storage }) }],
  );
const DENIED = /^store-unavailable: IndexedDB cannot be used: .*`storage: "memory"`/;

test("a sandboxed frame without storage opens in memory, and says so otherwise", async () => {
  const judy = await person();
  const page = await judy.context.newPage();
  await page.goto(site.url);
  await page.setContent(`<iframe sandbox="allow-scripts" src="${site.url}/"></iframe>`);
  await page.waitForSelector("iframe");
  const frame = page.frames()[1];
  await frame.waitForLoadState();
  assert.match(await openedIn(frame, worker.url, judy.bearer), DENIED);
  assert.equal(await openedIn(frame, worker.url, judy.bearer, "memory"), 1);
  await judy.context.close();
});

for (const [how, deny] of Object.entries({
  "throws where it is asked for": () =>
    Object.defineProperty(globalThis, "indexedDB", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    }),
  "throws when it is opened": () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  },
  "fails when it is opened": () => {
    IDBFactory.prototype.open = () => {
      const request = { error: new DOMException("full", "QuotaExceededError") };
      queueMicrotask(() => request.onerror());
      return request;
    };
  },
  "never answers": () => {
    IDBFactory.prototype.open = () => ({});
  },
  "never lists what it holds": () => {
    IDBFactory.prototype.databases = () => new Promise(() => {});
  },
  "never gives what it holds": () => {
    IDBObjectStore.prototype.getAllKeys = () => ({});
  },
})) {
  test(`storage that ${how} is an error within a bounded time, and is not needed in memory`, async () => {
    const kim = await person();
    const page = await kim.context.newPage();
    await page.goto(site.url);
    await page.evaluate(deny);
    assert.match(await openedIn(page, worker.url, kim.bearer), DENIED);
    assert.equal(await openedIn(page, worker.url, kim.bearer, "memory"), 1);
    await kim.context.close();
  });
}

test("a copy for which there is no room is none", async () => {
  const { page, context } = await failing();
  const code = await page.evaluate(async () => {
    globalThis.room = instead("put", (put, store, [, key]) => {
      const asked = put();
      if (String(key).startsWith("r/")) store.transaction.abort();
      return asked;
    });
    return begin();
  });
  assert.equal(code, "store-unavailable");
  assert.equal(await page.evaluate(async () => (room(), begin())), "open");
  assert.equal(await page.evaluate(() => replica.resolve("project", "p").data.x), 1);
  await context.close();
});

test("who could not open it leads nobody", async () => {
  const { page, context } = await failing();
  const code = await page.evaluate(async () => {
    const again = instead("getAll", () => {
      throw new Error("no disk");
    });
    const said = await begin();
    again();
    return said;
  });
  assert.equal(code, "store-unavailable");
  assert.equal(
    await page.evaluate(() =>
      Promise.race([begin(), new Promise((resolve) => setTimeout(() => resolve("never"), 5000))]),
    ),
    "open",
  );
  await context.close();
});

test("a transaction that is ended from outside is an error of the write alone", async () => {
  const { page, context } = await failing();
  assert.equal(await page.evaluate(() => begin()), "open");
  const code = await page.evaluate(async () => {
    const again = instead("get", (get, store) => {
      Promise.resolve()
        .then(() => store.transaction.abort())
        .catch(() => {});
      return get();
    });
    const said = await replica.update("project", "p", { y: 1 }).catch(({ code }) => code);
    again();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return said;
  });
  assert.equal(code, "store-unavailable");
  assert.deepEqual(await page.evaluate(() => unhandled), []);
  await context.close();
});

test("a connection that was stopped has no part in the next one", async () => {
  const { page, context, data } = await failing();
  assert.equal(await page.evaluate(() => begin()), "open");
  const codes = await page.evaluate(async () => {
    const codes = [];
    replica.on("error", ({ code }) => codes.push(code));
    let slow = false;
    instead("put", (put, store) => {
      const end = Date.now() + 300;
      const spin = () => void (Date.now() < end && (store.get("s").onsuccess = spin));
      if (slow) spin();
      slow = false;
      return put();
    });
    const real = globalThis.fetch;
    let first = true;
    globalThis.fetch = async (...asked) => {
      const answer = await real(...asked);
      if (first && String(asked[0]).includes("/v1/batch")) {
        first = false;
        // The answer has to wait for its turn, and by then there is another connection.
        slow = true;
        replica.update("project", "p", { z: 1 });
        setTimeout(() => ((replica.online = false), (replica.online = true)), 50);
      }
      return answer;
    };
    await replica.update("project", "p", { y: 1 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    await replica.synced({ signal: AbortSignal.timeout(10_000) }); // what was written meanwhile, too
    return codes;
  });
  assert.deepEqual(codes, []);
  assert.deepEqual(await data(), { x: 1, y: 1, z: 1, log: [] });
  await context.close();
});

test("waiting is for what was written so far, not for what comes after, and for what is being written", async () => {
  const sub = "writer";
  await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(worker.url);
  const replica = await nacre.open({ url: proxy.url, token: token({ sub }, worker.secret), storage: "memory" });
  await until(() => replica.status.state === "online", "never online");
  // Whenever one is sent the next is written: there is always one that waits.
  let [n, isOver] = [0, false];
  const write = () => replica.update("project", "p", { n: ++n });
  proxy.answer((path) => void (path === "/v1/batch" && !isOver && write()));
  write();
  await replica.synced({ signal: AbortSignal.timeout(5000) }).finally(() => (isOver = true));
  const { n: there } = (await worker.api(sub).get("/v1/contexts/project/p")).body.data;
  assert.ok(there >= 1, `${there} is there`);
  await replica.synced({ signal: AbortSignal.timeout(10_000) });
  assert.equal((await worker.api(sub).get("/v1/contexts/project/p")).body.data.n, n);
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
  await worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(worker.url);
  const replica = await nacre.open({ url: proxy.url, token: token({ sub }, worker.secret), storage: "memory" });
  try {
    await until(() => replica.status.state === "online", "never online");
    let then;
    proxy.answer((path) => void (path === "/v1/batch" && (then ??= replica.update("branch", "b", { next: true }))));
    await replica.create("task", "t", { parent: "b", create_parents: true, data: {} });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    await then;
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(replica.conflicts(), []);
    assert.deepEqual((await worker.api(sub).get("/v1/contexts/branch/b")).body.data, { next: true });
  } finally {
    globalThis.WebSocket = WebSocket;
    await replica.close();
    proxy.close();
  }
});
