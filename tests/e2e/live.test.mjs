// Live updates on a real workerd: what sockets are told, through breaks of every kind.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";
import { Line, merged } from "./line.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const ok = (answer) => {
  assert.ok(answer.status < 300, answer.text);
  return answer;
};

/** A small tree of alice's (or another's): global ▸ p ▸ b ▸ t. */
async function plant(user) {
  const api = worker.api(user);
  ok(await api.put("/v1/contexts/global/global", { data: { model: "small", n: 0 } }));
  ok(await api.put("/v1/contexts/project/p", { data: { n: 1 } }));
  ok(await api.put("/v1/contexts/branch/b", { parent: "p", data: {} }));
  ok(await api.put("/v1/contexts/task/t", { parent: "b", data: { own: true } }));
  return api;
}

const follow = (line, id, kind, level, context, since) =>
  line.ask({ type: "subscribe", id, topic: { [kind]: { level, id: context } }, ...(since !== undefined && { since }) });

test("each topic is told what concerns it, and a shadowed change nothing", async () => {
  const api = await plant("ann");
  const line = await Line.open(worker, "ann");
  assert.deepEqual(await follow(line, "c", "context", "project", "p"), { type: "subscribed", id: "c", seq: 4 });
  await follow(line, "s", "subtree", "branch", "b");
  const { hash } = await follow(line, "v", "resolved", "task", "t");
  const view = ok(await api.get("/v1/contexts/task/t/resolved")).body;
  assert.equal(view.hash, hash);

  ok(await api.patch("/v1/contexts/project/p", { n: 2, list: [1] }, MERGE));
  const [change, delta] = await line.take(2);
  const { at, ...rest } = change;
  assert.match(at, /^\d{4}-.*Z$/);
  assert.deepEqual(rest, {
    type: "change",
    id: "c",
    seq: 5,
    level: "project",
    context_id: "p",
    version: 2,
    by: "ann",
    action: "update",
    parent: "global",
    patch: [
      { op: "add", path: "/list", value: [1] },
      { op: "replace", path: "/n", value: 2 },
    ],
  });
  assert.deepEqual([delta.type, delta.id, delta.seq, delta.patch], ["delta", "v", 5, { list: [1], n: 2 }]);
  assert.equal(delta.hash, ok(await api.get("/v1/contexts/task/t/resolved")).body.hash);

  ok(await api.patch("/v1/contexts/global/global", { n: 9 }, MERGE)); // p says otherwise
  ok(await api.patch("/v1/contexts/global/global", { n: 10 }, MERGE));
  ok(await api.patch("/v1/contexts/task/t", { own: null }, MERGE));
  const [below, shown] = await line.take(2);
  assert.deepEqual([below.id, below.seq, below.patch], ["s", 8, [{ op: "remove", path: "/own" }]]);
  assert.deepEqual([shown.id, shown.seq, shown.patch], ["v", 8, { own: null }]);

  ok(await api.delete("/v1/contexts/task/t"));
  const [gone, lost] = await line.take(2);
  assert.deepEqual([gone.id, gone.action, gone.version], ["s", "delete", 3]);
  assert.deepEqual([lost.type, lost.id, lost.code], ["error", "v", "not-found"]);
  ok(await api.post("/v1/contexts/task/t/restore"));
  const [back, anew] = await line.take(2);
  assert.deepEqual([back.action, anew.type, anew.seq], ["restore", "resync", 10]);

  line.say({ type: "unsubscribe", id: "s" });
  await line.sync();
  ok(await api.patch("/v1/contexts/task/t", { last: 1 }, MERGE));
  assert.equal((await line.take(1))[0].id, "v");
  await line.quiet();
  line.close();
});

test("operations over the socket keep the rules of HTTP", async () => {
  const line = await Line.open(worker, "ops", { format: "msgpack" });
  const op = (id, op) => line.ask({ type: "op", id, op });
  const create = { action: "put", level: "project", context_id: "p", data: { a: 1 }, idempotency_key: "k1" };
  const made = await op("1", create);
  assert.deepEqual([made.type, made.seq, made.result.status, made.result.version], ["reply", 1, 201, 1]);
  const again = await op("2", create);
  assert.deepEqual([again.seq, again.result.status, again.result.replayed], [1, 201, true]);
  const other = await op("3", { ...create, data: { a: 2 } });
  assert.deepEqual([other.type, other.id, other.code, other.status], ["error", "3", "idempotency-mismatch", 422]);
  const stale = await op("4", {
    action: "update",
    level: "project",
    context_id: "p",
    patch: { a: 3 },
    expect_version: 7,
  });
  assert.deepEqual([stale.code, stale.current_version], ["version-conflict", 1]);
  const update = (n) => ({ action: "update", level: "project", context_id: "p", patch: { n } });
  const many = await op("5", { action: "batch", operations: [1, 2, 3].map(update) });
  assert.deepEqual(
    many.result.results.map(({ version }) => version),
    [2, 3, 4],
  );
  assert.equal(many.seq, 2);
  const read = await op("6", { action: "resolve", level: "project", context_id: "p" });
  assert.deepEqual(read.result.data, { a: 1, n: 3 });
  const http = ok(await worker.api("ops").get("/v1/contexts/project/p/resolved")).body;
  assert.equal(read.result.hash, http.hash);
  line.close();

  const reader = await Line.open(worker, "ops", { claims: { scope: "contexts:read" } });
  const refused = await reader.ask({ type: "op", id: "x", op: update(4) });
  assert.deepEqual([refused.code, refused.status], ["forbidden", 403]);
  reader.close();
});

test("what cannot be understood is answered and changes nothing", async () => {
  const api = await plant("bad");
  const line = await Line.open(worker, "bad");
  const refused = async (message, code, pointer) => {
    const answer = await line.ask(message);
    assert.deepEqual([answer.type, answer.code, answer.pointer], ["error", code, pointer], JSON.stringify(message));
  };
  await refused("{", "invalid-json", undefined);
  await refused({ type: "sing", id: "1" }, "invalid-request", "/type");
  await refused({ type: "subscribe", topic: { context: { level: "global", id: "global" } } }, "invalid-request", "/id");
  await refused({ type: "subscribe", id: "1" }, "invalid-request", "/topic");
  await refused({ type: "subscribe", id: "1", topic: {} }, "invalid-request", "/topic");
  await refused(
    { type: "subscribe", id: "1", topic: { context: { level: "x", id: "y" } } },
    "invalid-id",
    "/topic/context",
  );
  await refused(
    { type: "subscribe", id: "1", topic: { resolved: { level: "task", id: "none" } } },
    "not-found",
    undefined,
  );
  await refused(
    { type: "subscribe", id: "x".repeat(65), topic: { context: { level: "global", id: "global" } } },
    "invalid-request",
    "/id",
  );
  await refused({ type: "op", id: "1", op: { action: "fly" } }, "invalid-request", "/op/action");
  await refused({ type: "ping", since: "x" }, "invalid-request", "/since");
  let held = 0;
  for (; held < 1000; held++) {
    const answer = await follow(line, `s${held}`, "context", "task", `t${held}`);
    if (answer.type === "error") {
      assert.equal(answer.code, "too-large");
      break;
    }
  }
  assert.ok(held > 100 && held < 1000, `${held} subscriptions`);
  assert.equal(ok(await api.get("/v1/contexts/task/t")).headers.get("nacre-seq"), "4");
  assert.deepEqual(await line.ask({ type: "ping" }), { type: "pong" });
  assert.deepEqual(await line.ask('{ "type": "ping" }'), { type: "pong" });
  line.close();

  const plain = await worker.api("bad").get("/v1/live");
  assert.deepEqual([plain.status, plain.body.code], [400, "invalid-request"]);
  await assert.rejects(Line.open(worker, "bad", { bearer: "no.such.token" }));
});

test("a break of any kind loses nothing and repeats nothing", async () => {
  const api = await plant("brk");
  const view = async () => ok(await api.get("/v1/contexts/task/t/resolved")).body;
  let { data: held, seq, hash } = await view();
  const heard = [];
  const hear = (message) => {
    if (message.type === "change") heard.push([message.seq, message.context_id, message.version]);
    if (message.type !== "delta") return;
    held = merged(held, message.patch);
    ({ seq, hash } = message);
  };
  const join = async (since) => {
    const line = await Line.open(worker, "brk");
    await follow(line, "all", "subtree", "global", "global", since);
    line.each(hear);
    const begun = await follow(line, "v", "resolved", "task", "t", since);
    assert.equal(begun.type, "subscribed");
    return line;
  };
  const told = [];
  const write = async (n) => {
    const [level, id] = [
      ["global", "global"],
      ["project", "p"],
      ["task", "t"],
    ][n % 3];
    const { body } = ok(await api.patch(`/v1/contexts/${level}/${id}`, { [`k${n % 5}`]: n }, MERGE));
    told.push([4 + told.length + 1, id, body.version]);
  };
  let line = await join(4);
  let n = 0;
  // What happens, and whether the socket survives it.
  const breaks = [
    [() => {}, true],
    [() => line.close(), false],
    [() => worker.evict("brk"), true], // sockets sleep through it
    [worker.kill, false],
    [worker.restart, false],
  ];
  for (const [interrupt, survives] of [...breaks, ...breaks]) {
    for (let k = 0; k < 4; k++) await write(n++);
    await line.until(() => heard.length === told.length);
    await interrupt();
    for (let k = 0; k < 3; k++) await write(n++);
    if (!survives) {
      await line.ended;
      line = await join(told.length + 4 - 3);
    }
    await line.until(() => heard.length === told.length);
  }
  await line.sync();
  assert.deepEqual(heard, told);
  const now = await view();
  assert.deepEqual(held, now.data);
  assert.equal(hash, now.hash);
  assert.ok(seq <= now.seq);
  // Another store's past, and one that never was.
  const late = await Line.open(worker, "brk");
  await follow(late, "v", "resolved", "task", "t", 10 ** 6);
  assert.deepEqual(await late.take(1), [{ type: "resync", id: "v", seq: now.seq }]);
  late.close();
  line.close();
});

test("an expired token closes its socket, and so does the end of sharing", async () => {
  const api = await plant("own");
  const brief = await Line.open(worker, "own", { claims: { exp: Math.floor(Date.now() / 1000) + 4 } });
  const lasting = await Line.open(worker, "own");
  assert.equal((await brief.ended).code, 4401);

  ok(await api.put("/v1/members/bob", { project: "p", role: "reader" }));
  await assert.rejects(Line.open(worker, "eve", { owner: "own" }), /404/, "a stranger gets no socket");
  const guest = await Line.open(worker, "bob", { owner: "own" });
  assert.equal((await follow(guest, "g", "subtree", "global", "global")).code, "not-found");
  assert.equal((await follow(guest, "s", "subtree", "project", "p")).type, "subscribed");
  assert.equal((await follow(guest, "t", "context", "task", "t")).type, "subscribed");
  ok(await api.put("/v1/contexts/project/q", { data: {} }));
  ok(await api.put("/v1/contexts/branch/c", { parent: "q", data: {} }));
  ok(await api.post("/v1/contexts/task/t/move", { parent: "c" }));
  const [hidden, moved] = await guest.take(2);
  assert.deepEqual([moved.id, moved.action, moved.left, moved.parent], ["s", "move", true, undefined]);
  assert.deepEqual([hidden.id, hidden.type, hidden.code], ["t", "error", "not-found"]);
  ok(await api.patch("/v1/contexts/task/t", { secret: "plan" }, MERGE));
  await guest.quiet();
  ok(await api.delete("/v1/members/bob?project=p"));
  assert.equal((await guest.ended).code, 4403);
  assert.equal(lasting.isClosed, false);

  const admin = worker.api("own", { scope: "admin contexts:read contexts:write" });
  ok(await admin.delete("/v1/store", { "nacre-confirm": "erase" }));
  assert.equal((await lasting.ended).code, 4404);
});

test("tokens that are refreshed in time, and alarms of both kinds, do not disturb each other", async () => {
  const api = await plant("alm");
  const soon = Math.floor(Date.now() / 1000);
  const lines = await Promise.all([4, 5, 60].map((s) => Line.open(worker, "alm", { claims: { exp: soon + s } })));
  // A write whose answer is kept sets the store's own alarm, for later.
  ok(await api.patch("/v1/contexts/task/t", { n: 1 }, { ...MERGE, "idempotency-key": "a" }));
  await worker.evict("alm");
  assert.equal((await lines[0].ended).code, 4401);
  assert.equal((await lines[1].ended).code, 4401);
  assert.ok(Date.now() / 1000 >= soon + 5);
  assert.equal(lines[2].isClosed, false);
  lines[2].close();
});

test("a subscriber that does not read delays no commit", async () => {
  const api = await plant("slow");
  const stuck = await Line.open(worker, "slow");
  await follow(stuck, "all", "subtree", "global", "global");
  stuck.pause();
  const live = await Line.open(worker, "slow");
  await follow(live, "all", "context", "task", "t");
  const big = "x".repeat(200_000);
  for (let n = 0; n < 30; n++) ok(await api.patch("/v1/contexts/task/t", { n, big: `${n}${big}` }, MERGE));
  const told = await live.take(30);
  assert.deepEqual(
    told.map(({ version }) => version),
    told.map((_, n) => n + 2),
  );
  stuck.resume();
  assert.equal((await stuck.take(30)).at(-1).version, 31);
  stuck.close();
  live.close();
});
