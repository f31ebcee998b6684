// The connection to the server: tokens that expire, sockets that are cut, and networks that let none
// through.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MERGE, breakingProxy, setUp, token, until } from "./stage.mjs";

const stage = setUp({ pages: false });

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
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets();
  let bearer = token({ sub, exp: Math.floor(Date.now() / 1000) + 3 }, stage.worker.secret);
  const replica = await stage.nacre.open({ url: stage.worker.url, token: () => bearer, storage: "memory" });
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
  bearer = token({ sub }, stage.worker.secret);
  await replica.update("project", "p", { y: 1 });
  await replica.synced({ signal: AbortSignal.timeout(10_000) });
  await until(() => replica.status.state === "online", "never online again");
  assert.equal(sockets.opened.length, 2);
  await replica.close();
});

test("a token that is renewed in time is no error", async () => {
  const sub = "renewed";
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets();
  let soon = 2;
  const bearer = () => {
    const exp = Math.floor(Date.now() / 1000) + soon;
    soon = 3600;
    return token({ sub, exp }, stage.worker.secret);
  };
  const replica = await stage.nacre.open({ url: stage.worker.url, token: bearer, storage: "memory" });
  const told = [];
  replica.on("error", ({ code }) => told.push(code));
  await until(() => sockets.opened.length === 2, "no other socket");
  await until(() => replica.status.state === "online", "never online again");
  assert.deepEqual(told, []);
  await replica.close();
});

test("a refused token is asked about without a socket", async () => {
  const sub = "refused";
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  using sockets = countingSockets();
  const replica = await stage.nacre.open({
    url: proxy.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
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
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  using sockets = countingSockets((socket) =>
    socket.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).type === "subscribed") setTimeout(() => socket.close(), 60);
    }),
  );
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
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
    const api = stage.worker.api(sub);
    await api.put("/v1/contexts/project/p", { data: { log: [] } });
    const proxy = await breakingProxy(stage.worker.url);
    proxy.answer((path) => (path === "/v1/live" ? answer : undefined));
    const replica = await stage.nacre.open({
      url: proxy.url,
      token: token({ sub }, stage.worker.secret),
      storage: "memory",
    });
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
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: {} });
  using _ = countingSockets((socket) => (socket.send = () => {}));
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
  await replica.update("project", "p", { y: 1 });
  await replica.synced({ signal: AbortSignal.timeout(15_000) });
  assert.equal(replica.status.polling, true);
  assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { y: 1 });
  await replica.close();
});

test("an answer that is cut off after all that is read of it is no error", async () => {
  const sub = "cut-off";
  await stage.worker.api(sub).put("/v1/contexts/project/p", { data: {} });
  const proxy = await breakingProxy(stage.worker.url);
  proxy.answer((path) => (path === "/v1/live" ? {} : undefined));
  const { fetch } = globalThis;
  let cuts = 0;
  globalThis.fetch = async (url, asked) => {
    const answer = await fetch(url, asked);
    if (!String(url).endsWith("?limit=1")) return answer;
    await answer.body.cancel();
    cuts += 1;
    const rest = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
    return new Response(rest, answer);
  };
  const errors = [];
  const replica = await stage.nacre.open({
    url: proxy.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
  replica.on("error", ({ code, message }) => errors.push(`${code}: ${message}`));
  try {
    await until(() => replica.status.state === "online", "never online");
    assert.deepEqual(errors, []);
    assert.ok(cuts > 0, "the server is not asked for its seq");
  } finally {
    globalThis.fetch = fetch;
    await replica.close();
    proxy.close();
  }
});

test("a conflict comes up where changes are polled", async () => {
  const sub = "polled-conflict";
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: { n: 1 } });
  const proxy = await breakingProxy(stage.worker.url);
  proxy.answer((path) => (path === "/v1/live" ? {} : undefined));
  const replica = await stage.nacre.open({
    url: proxy.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
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

test("a batch that the network swallows is sent again, and the changes of others come", async () => {
  const sub = "swallowed";
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: { x: 1 } });
  const proxy = await breakingProxy(stage.worker.url);
  const replica = await stage.nacre.open({
    url: proxy.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
  let swallowed = 0;
  proxy.answer((path) => (path === "/v1/batch" && swallowed++ === 0 ? { hangs: true } : undefined));
  const begun = Date.now();
  await replica.update("project", "p", { y: 1 });
  await until(() => swallowed > 0, "never sent");
  assert.equal((await api.patch("/v1/contexts/project/p", { x: 2 }, MERGE)).status, 200);
  await replica.synced({ signal: AbortSignal.timeout(20_000) });
  await until(() => replica.get("project", "p").data.x === 2, "the change of others does not come");
  assert.ok(Date.now() - begun < 12_000, `it took ${Date.now() - begun} ms`);
  assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { x: 2, y: 1 });
  await replica.close();
  proxy.close();
});

test("an export that the network swallows does not hold up `open` for good", async () => {
  const proxy = await breakingProxy(stage.worker.url);
  proxy.answer((path) => (path === "/v1/export" ? { hangs: true } : undefined));
  const options = { url: proxy.url, token: token({ sub: "swallowed export" }, stage.worker.secret), storage: "memory" };
  await assert.rejects(stage.nacre.open(options), { code: "unavailable" });
  proxy.answer();
  await (await stage.nacre.open(options)).close();
  proxy.close();
});
