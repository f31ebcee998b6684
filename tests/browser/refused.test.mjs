// Writes that the server refuses: each is told, kept apart and ended by the user, and nothing waits
// for it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MERGE, breakingProxy, setUp, token, until } from "./stage.mjs";

const stage = setUp();

const PATH = "/v1/contexts/project/p";
const soon = () => ({ signal: AbortSignal.timeout(10_000) });

/** A problem in the server's place. */
const problem = (status, code, more) => ({
  status,
  headers: { "content-type": "application/problem+json", "access-control-allow-origin": "*" },
  body: JSON.stringify({ type: `urn:nacre:error:${code}`, title: code, status, code, detail: "no", ...more }),
});

let people = 0;
/** A replica of a new user, on a proxy that may refuse; `told` has what it says of writes. */
async function device(scope) {
  const sub = `refused-${++people}`;
  const api = stage.worker.api(sub);
  await api.put(PATH, { data: { x: 1 } });
  const proxy = await breakingProxy(stage.worker.url);
  const bearer = token({ sub, ...(scope && { scope }) }, stage.worker.secret);
  const replica = await stage.nacre.open({ url: proxy.url, token: bearer, storage: "memory" });
  const [told, errors] = [[], []];
  replica.on("write", ({ state, key, problem }) => told.push([state, key, ...(problem ? [problem.code] : [])]));
  replica.on("error", ({ code }) => errors.push(code));
  await online(replica);
  const close = async () => {
    await replica.close();
    proxy.close();
  };
  return { api, proxy, replica, told, errors, close };
}

/** Resolves when an event that meets `meets` has come. */
const heard = (replica, event, meets = () => true) =>
  new Promise((resolve) => {
    const stop = replica.on(event, (detail) => meets(detail) && (stop(), resolve(detail)));
  });

const online = async (replica) => {
  const isOnline = ({ state }) => state === "online";
  if (!isOnline(replica.status)) await heard(replica, "status", isOnline);
};

/** Refusals, and whether they are about the batch as a whole: then it is sent once. */
const REFUSALS = {
  "the batch, with 403": [403, "forbidden"],
  "the batch, with 404": [404, "not-found"],
  "one write, with 403": [403, "forbidden", { failed_operation: 0 }],
  "one write, with 404": [404, "not-found", { failed_operation: 0 }],
  "one write, for a limit": [413, "too-large", { failed_operation: 0, limit: 9 }],
  "one write, for a rule that the copy does not know": [409, "locked", { failed_operation: 0, pointer: "/x" }],
};

for (const [name, [status, code, more]] of Object.entries(REFUSALS)) {
  test(`the server refuses ${name}: the write is told of and kept apart, and everything else goes on`, async () => {
    const { api, proxy, replica, told, errors, close } = await device();
    let refuses = true;
    proxy.answer((path) => path === "/v1/batch" && refuses && problem(status, code, more));

    const written = await replica.update("project", "p", { x: 2 });
    const { key } = written;
    assert.equal(replica.resolve("project", "p").data.x, 2);
    await replica.synced(soon());
    const [refused, ...others] = replica.pending();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [refused.key, refused.state, refused.problem.code, refused.problem.status, refused.operation.patch],
      [key, "refused", code, status, { x: 2 }],
    );
    assert.equal(replica.resolve("project", "p").data.x, 1, "the view is the server's");
    assert.deepEqual([replica.status.queued, replica.status.refused, replica.status.conflicts], [0, 1, 0]);
    assert.deepEqual(told, [["refused", key, code]]);
    await online(replica);
    assert.deepEqual([replica.status.error, errors], [null, []]);

    // Others' changes arrive, and other writes are sent. The refused one is not sent again.
    const sent = proxy.batches();
    const arrived = heard(replica, "change", ({ mine }) => !mine);
    await api.patch(PATH, { y: 1 }, MERGE);
    await arrived;
    assert.equal(replica.resolve("project", "p").data.y, 1);
    assert.equal(proxy.batches(), sent);
    refuses = false;
    const other = await replica.update("project", "p", { z: 3 });
    await replica.synced(soon());
    assert.deepEqual((await api.get(PATH)).body.data, { x: 1, y: 1, z: 3 });

    // Once more, in vain; then it goes through.
    refuses = true;
    await replica.retry(refused);
    assert.equal(replica.status.queued, 1);
    await replica.synced(soon());
    refuses = false;
    await replica.retry(written);
    await replica.synced(soon());
    assert.deepEqual((await api.get(PATH)).body.data, { x: 2, y: 1, z: 3 });
    const states = ["refused", "refused", "done"].map((state) => [state, key, ...(state === "done" ? [] : [code])]);
    assert.deepEqual(told, [states[0], ["done", other.key], ...states.slice(1)]);
    assert.deepEqual([replica.pending(), replica.status.refused], [[], 0]);
    await assert.rejects(replica.retry(key), { code: "not-found" });

    // And one that is discarded.
    refuses = true;
    const { key: last } = await replica.update("project", "p", { x: 5 });
    await replica.synced(soon());
    await replica.discard(last);
    assert.deepEqual(told.slice(-2), [
      ["refused", last, code],
      ["discarded", last, code],
    ]);
    assert.deepEqual([replica.pending(), replica.status.refused], [[], 0]);
    assert.equal(replica.resolve("project", "p").data.x, 2);
    await assert.rejects(replica.discard(last), { code: "not-found" });
    await close();
  });
}

test("the server refuses what a token may not do: the write is discarded, and the rest goes on", async () => {
  const { api, replica, told, close } = await device("contexts:read");
  const { key } = await replica.update("project", "p", { x: 2 });
  await replica.synced(soon());
  assert.deepEqual(told, [["refused", key, "forbidden"]]);
  const arrived = heard(replica, "change");
  await api.patch(PATH, { x: 3 }, MERGE);
  await arrived;
  assert.equal(replica.resolve("project", "p").data.x, 3);
  await replica.discard(key);
  assert.deepEqual([replica.pending(), replica.conflicts()], [[], []]);
  await close();
});

test("where changes are polled, a refused write holds nothing up", async () => {
  const { api, proxy, replica, told, close } = await device();
  let refuses = true;
  proxy.answer((path) => {
    if (path === "/v1/live") return {};
    return path === "/v1/batch" && refuses ? problem(403, "forbidden") : undefined;
  });
  const polls = heard(replica, "status", ({ polling }) => polling);
  proxy.pull(true);
  proxy.pull(false);
  await polls;
  const { key } = await replica.update("project", "p", { x: 2 });
  await replica.synced(soon());
  assert.deepEqual(told, [["refused", key, "forbidden"]]);
  const arrived = new Promise((resolve) => replica.subscribe({ context: { level: "project", id: "p" } }, resolve));
  await api.patch(PATH, { y: 1 }, MERGE);
  await arrived;
  assert.deepEqual(replica.resolve("project", "p").data, { x: 1, y: 1 });
  refuses = false;
  await replica.retry(key);
  await replica.synced(soon());
  assert.deepEqual((await api.get(PATH)).body.data, { x: 2, y: 1 });
  await close();
});

test("a write that a new rule of others forbids is refused, and goes through when the rule is gone", async () => {
  const { api, replica, told, close } = await device();
  await replica.create("branch", "b", { parent: "p", data: {} });
  await replica.synced(soon());
  told.length = 0;
  replica.online = false;
  const { key } = await replica.update("branch", "b", { x: 2 });
  await api.put(PATH, { data: { x: 1 }, rules: { "/x": "lock" } });
  replica.online = true;
  await replica.synced(soon());
  assert.deepEqual(told, [["refused", key, "locked"]]);
  assert.equal(replica.resolve("branch", "b").data.x, 1);
  assert.deepEqual(replica.conflicts(), []);
  const arrived = heard(replica, "change", ({ mine }) => !mine);
  await api.put(PATH, { data: { x: 1 }, rules: {} });
  await arrived;
  await replica.retry(key);
  await replica.synced(soon());
  assert.deepEqual(told.slice(1), [["done", key]]);
  assert.equal((await api.get("/v1/contexts/branch/b/resolved")).body.data.x, 2);
  await close();
});

test("all writes of a batch that is refused as a whole are refused, each by itself", async () => {
  const { api, proxy, replica, told, close } = await device();
  replica.online = false;
  const keys = [];
  for (const patch of [{ a: 1 }, { b: 1 }, { c: 1 }]) keys.push((await replica.update("project", "p", patch)).key);
  proxy.answer((path) => path === "/v1/batch" && problem(403, "forbidden"));
  replica.online = true;
  await replica.synced(soon());
  assert.deepEqual(
    told,
    keys.map((key) => ["refused", key, "forbidden"]),
  );
  proxy.answer();
  await replica.discard(keys[0]);
  await replica.retry(keys[1]);
  await replica.synced(soon());
  assert.deepEqual((await api.get(PATH)).body.data, { x: 1, b: 1 });
  assert.deepEqual(
    replica.pending().map(({ key, state }) => [key, state]),
    [[keys[2], "refused"]],
  );
  await close();
});

for (const [status, code, after] of [
  [408, "timeout"],
  [429, "rate-limited", "1"],
  [503, "store-unavailable"],
]) {
  test(`a batch that is answered with ${status} is sent again, and cannot be discarded until then`, async () => {
    const { api, proxy, replica, told, close } = await device();
    const busy = problem(status, code);
    if (after) busy.headers["retry-after"] = after;
    proxy.answer((path) => path === "/v1/batch" && busy);
    const failed = heard(replica, "error", (error) => error.code === code);
    const { key } = await replica.update("project", "p", { x: 2 });
    await failed;
    assert.deepEqual([replica.pending()[0].state, replica.status.queued, replica.status.refused], ["in-flight", 1, 0]);
    await assert.rejects(replica.discard(key), { code: "invalid-request" });
    await assert.rejects(replica.retry(key), { code: "not-found" });
    proxy.answer();
    await replica.synced(soon());
    assert.equal((await api.get(PATH)).body.data.x, 2);
    assert.deepEqual(told, [["done", key]]);
    await close();
  });
}

test("a proxy's own 403 refuses nothing", async () => {
  const { api, proxy, replica, told, close } = await device();
  proxy.answer((path) => path === "/v1/batch" && { status: 403, body: "<html>Forbidden</html>" });
  const failed = heard(replica, "error", ({ code }) => code === "unavailable");
  const { key } = await replica.update("project", "p", { x: 2 });
  await failed;
  assert.equal(replica.pending()[0].state, "in-flight");
  proxy.answer();
  await replica.synced(soon());
  assert.deepEqual(told, [["done", key]]);
  assert.equal((await api.get(PATH)).body.data.x, 2);
  await close();
});

for (const [name, code, answer] of [
  ["a gateway's own 403", "unavailable", { status: 403, headers: { "content-type": "text/html" }, body: "no" }],
  ["a failure of the server", "internal", problem(500, "internal")],
]) {
  test(`a write that always meets ${name} is singled out, and holds nothing else up`, async () => {
    const { api, proxy, replica, told, close } = await device();
    proxy.answer((path, body) => path === "/v1/batch" && String(body).includes("DROP TABLE") && answer);
    replica.online = false;
    const keys = [];
    for (const patch of [{ one: 1 }, { bad: "DROP TABLE" }, { two: 2 }]) {
      keys.push((await replica.update("project", "p", patch)).key);
    }
    await api.patch(PATH, { theirs: 1 }, MERGE);
    replica.online = true;
    await replica.synced({ signal: AbortSignal.timeout(60_000) });
    const [one, bad, two] = keys;
    const ends = [
      ["done", one],
      ["done", two],
      ["refused", bad, code],
    ];
    assert.deepEqual(told.toSorted(), ends.toSorted());
    await online(replica);
    assert.deepEqual(replica.resolve("project", "p").data, { x: 1, theirs: 1, one: 1, two: 2 });
    proxy.answer();
    await replica.retry(bad);
    await replica.synced(soon());
    assert.equal((await api.get(PATH)).body.data.bad, "DROP TABLE");
    await close();
  });
}

test("a write that meets a change of others is told to be a conflict", async () => {
  const { api, replica, told, close } = await device();
  replica.online = false;
  const { key } = await replica.update("project", "p", { x: 2 });
  await api.patch(PATH, { x: 3 }, MERGE);
  replica.online = true;
  await replica.synced(soon());
  assert.deepEqual(told, [["conflict", key]]);
  assert.equal(replica.conflicts().length, 1);
  await close();
});

test("a queued write can be discarded before it is sent", async () => {
  const { api, replica, told, close } = await device();
  replica.online = false;
  const { key } = await replica.update("project", "p", { x: 2 });
  await replica.discard(key);
  assert.deepEqual([told, replica.status.queued], [[["discarded", key]], 0]);
  assert.equal(replica.resolve("project", "p").data.x, 1);
  replica.online = true;
  await online(replica);
  assert.equal((await api.get(PATH)).body.version, 1);
  await close();
});

// ─── In tabs ─────────────────────────────────────────────────────────────────────────────────────

const stateOf = (tab) =>
  tab.evaluate(() => ({
    told,
    pending: replica.pending().map(({ state, problem }) => [state, problem?.code]),
    status: [replica.status.queued, replica.status.refused],
    x: replica.resolve("project", "p").data.x,
  }));

/** Whether it is a batch, and not a browser's question whether it may send one. */
const isBatch = (path, body) => path === "/v1/batch" && body.length > 0;

async function tabOf(someone) {
  const tab = await someone.tab();
  await tab.evaluate(() => {
    globalThis.told = [];
    replica.on("write", ({ state }) => told.push(state));
  });
  return tab;
}

test("a refused write outlives a reload, and each tab tells of it and can retry and discard it", async () => {
  const proxy = await breakingProxy(stage.worker.url);
  const zoe = await stage.person({ url: proxy.url });
  let refuses = true;
  proxy.answer((path, body) => isBatch(path, body) && refuses && problem(403, "forbidden"));
  let tabs = [await tabOf(zoe), await tabOf(zoe)];
  const both = (expected, message) =>
    until(async () => {
      const states = await Promise.all(tabs.map(stateOf));
      return states.every((state) => JSON.stringify(state) === JSON.stringify(expected));
    }, `never ${message} in both tabs`);
  const refused = { pending: [["refused", "forbidden"]], status: [0, 1], x: 1 };
  const leading = () => Promise.all(tabs.map((tab) => tab.evaluate(() => replica.status.leader)));
  const follower = async () => tabs[(await leading()).indexOf(false)];

  await (await follower()).evaluate(async () => {
    await replica.update("project", "p", { x: 2 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  await both({ told: ["refused"], ...refused }, "refused");

  // Retried where nothing is sent from, in vain.
  await (await follower()).evaluate(async () => {
    await replica.retry(replica.pending()[0]);
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  await both({ told: ["refused", "refused"], ...refused }, "retried");

  // Opened again: it is still there, and nothing is told twice.
  for (const tab of tabs) await tab.close();
  tabs = [await tabOf(zoe), await tabOf(zoe)];
  await until(async () => (await leading()).filter(Boolean).length === 1, "there is not one leader");
  await both({ told: [], ...refused }, "opened again");
  const said = await (await follower()).evaluate(async () => {
    const { key } = replica.pending()[0];
    await replica.discard(key);
    return [replica.pending().length, await replica.discard(key).catch(({ code }) => code)];
  });
  assert.deepEqual(said, [0, "not-found"]);
  await both({ told: ["discarded"], pending: [], status: [0, 0], x: 1 }, "discarded");

  // And one that goes through in the end.
  await (await follower()).evaluate(async () => {
    await replica.update("project", "p", { x: 7 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  refuses = false;
  await (await follower()).evaluate(async () => {
    await replica.retry(replica.pending()[0]);
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  await both({ told: ["discarded", "refused", "done"], pending: [], status: [0, 0], x: 7 }, "done");
  assert.equal((await zoe.data()).x, 7);
  await zoe.context.close();
  proxy.close();
});

test("a discard that the leader does not answer is carried out by the next one", async () => {
  const proxy = await breakingProxy(stage.worker.url);
  const yan = await stage.person({ url: proxy.url });
  proxy.answer((path, body) => isBatch(path, body) && problem(403, "forbidden"));
  const tabs = [await tabOf(yan), await tabOf(yan)];
  const leading = () => Promise.all(tabs.map((tab) => tab.evaluate(() => replica.status.leader)));
  await until(async () => (await leading()).filter(Boolean).length === 1, "there is not one leader");
  const [leader, other] = (await leading())[0] ? tabs : tabs.toReversed();
  await other.evaluate(async () => {
    await replica.update("project", "p", { x: 2 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  // A dialog stops the tab.
  const shown = new Promise((resolve) => leader.once("dialog", resolve));
  await leader.evaluate(() => void setTimeout(() => alert("stopped")));
  const dialog = await shown;
  await other.evaluate(() => replica.discard(replica.pending()[0]));
  assert.deepEqual(await stateOf(other), { told: ["refused", "discarded"], pending: [], status: [0, 0], x: 1 });
  await dialog.dismiss();
  await until(async () => (await stateOf(leader)).told.includes("discarded"), "never told");
  assert.deepEqual(await stateOf(leader), await stateOf(other));
  await yan.context.close();
  proxy.close();
});
