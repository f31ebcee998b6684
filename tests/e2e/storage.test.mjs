// What is stored stays, and is only believed where it was written: eviction, restarts, kills, other
// master keys, a new data key, damage from outside, the end of a store.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { withDatabases } from "./databases.mjs";
import { client, start, token } from "./harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const SCOPE = { scope: "contexts:read contexts:write secrets:reveal admin" };
const SECRET = "pl4nt";
const key = (id) => `${id}:${randomBytes(32).toString("base64")}`;

let worker, persist, vars;
beforeEach(async () => {
  persist = mkdtempSync(join(tmpdir(), "nacre-storage-"));
  vars = { NACRE_JWT_SECRET: randomBytes(32).toString("base64url"), NACRE_MASTER_KEYS: key("m1") };
  worker = await start({ persist, vars });
});
afterEach(async () => {
  await worker?.stop();
  rmSync(persist, { recursive: true, force: true });
});

const ok = (answer) => {
  assert.ok(answer.status < 300, `${answer.status} ${answer.text.slice(0, 300)}`);
  return answer;
};

/** A store with something in every table; gives what it answers to every read. */
async function fill(user) {
  const api = worker.api(user, SCOPE);
  const project = "/v1/contexts/project/p";
  ok(await api.put("/v1/contexts/global/global", { data: { a: 1 }, rules: { "/a": "lock" } }));
  ok(await api.put(project, { data: { b: [1, 2], api_key: `${SECRET} ${user} one` }, summary: "made" }));
  ok(await api.put("/v1/contexts/branch/b", { data: { c: "c", token: `${SECRET} ${user} two` }, parent: "p" }));
  ok(await api.put("/v1/contexts/task/t", { data: {}, parent: "b" }));
  ok(await api.patch(project, { n: 1 }, MERGE));
  ok(await api.patch(project, { n: 2 }, { ...MERGE, "idempotency-key": "k" }));
  ok(await api.post(`${project}/insights`, { content: "first" }));
  ok(await api.post(`${project}/insights`, { content: "second" }));
  ok(await api.put("/v1/members/bob", { project: "p", role: "reader" }));
  ok(await api.delete("/v1/contexts/task/t"));
}

/** Every answer of a store, without what the reveals of this function itself change: they are commits. */
async function everything(user) {
  const api = worker.api(user, SCOPE);
  const answers = {};
  for (const path of [
    "/v1/contexts?data=true&reveal=true",
    "/v1/contexts/branch/b/resolved?reveal=true&explain=true",
    "/v1/contexts/branch/b/resolved?at=4&reveal=true",
    "/v1/contexts/project/p?version=1&reveal=true",
    "/v1/contexts/project/p/history",
    "/v1/contexts/project/p/insights",
    "/v1/contexts/task/t/history",
    "/v1/export?reveal=true",
    "/v1/audit",
    "/v1/members",
  ]) {
    const { status, headers, text, body } = await api.get(path);
    answers[path] = [status, headers.get("etag"), text];
    if (status === 200 && path.includes("/resolved?reveal")) answers[path][2] = text.replace(/"seq":\d+/, "");
    if (status === 200 && path === "/v1/audit") {
      answers[path][2] = body.items.filter(({ deeds }) => deeds.some(({ action }) => action !== "reveal"));
    }
  }
  return answers;
}

test("an evicted, restarted or killed object answers as before", async () => {
  await fill("alice");
  const before = await everything("alice");
  assert.ok(
    Object.values(before).every(([status]) => status === 200),
    JSON.stringify(before),
  );
  await worker.evict("alice");
  assert.deepEqual(await everything("alice"), before);
  await worker.restart();
  assert.deepEqual(await everything("alice"), before);
  await worker.kill();
  assert.deepEqual(await everything("alice"), before);
});

test("an idempotency key holds through eviction, restart and kill", async () => {
  await fill("alice");
  const api = worker.api("alice", SCOPE);
  const patch = (n) => api.patch("/v1/contexts/project/p", { n }, { ...MERGE, "idempotency-key": "again" });
  const first = ok(await patch(7));
  for (const interrupt of [() => worker.evict("alice"), worker.restart, worker.kill]) {
    await interrupt();
    const again = await patch(7);
    assert.deepEqual([again.status, again.text], [200, first.text]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(again.headers.get("etag"), first.headers.get("etag"));
    assert.equal((await patch(8)).body.code, "idempotency-mismatch");
  }
  const { body } = await api.get("/v1/contexts/project/p");
  assert.equal(body.version, first.body.version);
});

test("a new master key takes over at the next wake-up, and the old one can go", async () => {
  await fill("alice");
  const before = await everything("alice");
  const [m1, m2] = [vars.NACRE_MASTER_KEYS, key("m2")];
  await worker.restart({ NACRE_MASTER_KEYS: `${m2},${m1}` });
  assert.deepEqual(await everything("alice"), before);
  await worker.restart({ NACRE_MASTER_KEYS: m2 });
  assert.deepEqual(await everything("alice"), before);
  await worker.restart({ NACRE_MASTER_KEYS: m1 });
  for (const [status, , text] of Object.values(await everything("alice"))) {
    assert.equal(status, 503);
    assert.match(text, /"store-unavailable"/);
  }
  await worker.restart({ NACRE_MASTER_KEYS: m2 });
  assert.deepEqual(await everything("alice"), before);
});

test("a new data key seals everything in the background, killed on the way or not", async () => {
  const api = worker.api("alice", SCOPE);
  await fill("alice");
  const lines = Array.from({ length: 1200 }, (_, n) =>
    JSON.stringify({ level: "task", id: `t${n}`, parent: "b", data: { n, token: `${SECRET} ${n}` } }),
  );
  ok(await api.post("/v1/import", lines.join("\n"), { "content-type": "application/x-ndjson" }));
  const before = await everything("alice");
  assert.deepEqual((await api.get("/v1/keys")).body, { data_key: "d1", rotating: false });
  const begun = ok(await api.post("/v1/keys/rotate"));
  assert.deepEqual(begun.body, { data_key: "d2", rotating: true });
  assert.equal(ok(await api.post("/v1/keys/rotate")).body.data_key, "d2", "one at a time");
  const [{ by, deeds, request_id }] = ok(await api.get("/v1/audit?limit=1")).body.items;
  assert.deepEqual([by, deeds[0].action, request_id], ["alice", "rotate_keys", begun.headers.get("x-request-id")]);
  await worker.kill();
  ok(await api.patch("/v1/contexts/task/t7", { while: "rotating" }, MERGE));
  await sleep(30);
  await worker.kill();
  for (let waited = 0; ; waited++) {
    const { body } = ok(await api.get("/v1/keys"));
    assert.equal(body.data_key, "d2");
    if (!body.rotating) break;
    assert.ok(waited < 300, "the rotation ends");
    await sleep(100);
  }
  ok(await api.patch("/v1/contexts/task/t7", { while: null }, MERGE));
  await worker.stop();
  let stores = 0;
  withDatabases(persist, (database, owner) => {
    if (owner !== "alice") return;
    stores++;
    for (const table of ["contexts", "versions", "entries", "audit", "replays", "members", "secrets"]) {
      const { old, all } = database
        .prepare(`SELECT count(*) AS "all", sum(substr(value, 3, 2) <> x'0002') AS old FROM ${table}`)
        .get();
      assert.ok(all > 0 && old === 0, `${table}: ${old} of ${all}`);
    }
  });
  assert.equal(stores, 1);
  worker = await start({ persist, vars });
  const after = await everything("alice");
  const data = (answers) => JSON.parse(answers["/v1/contexts?data=true&reveal=true"][2]).items.map((item) => item.data);
  assert.deepEqual(data(after), data(before));
  assert.deepEqual(after["/v1/contexts/project/p/insights"], before["/v1/contexts/project/p/insights"]);
  // Markers of the old fingerprint key go by and by, each with a new version.
  const marker = async (path) => (await worker.api("alice", SCOPE).get(path)).text.match(/"\$sealed":"(f\d+)\./)[1];
  for (let waited = 0; (await marker("/v1/contexts/task/t1199")) !== "f2"; waited++) {
    assert.ok(waited < 300, "the markers are replaced");
    await sleep(100);
  }
  assert.equal(await marker("/v1/contexts/task/t1199?version=1"), "f1");
  const revealed = await worker.api("alice", SCOPE).get("/v1/contexts/task/t1199?reveal=true");
  assert.equal(revealed.body.data.token, `${SECRET} 1199`);
});

/**
 * What somebody with the files could do: `[name, statement, path that must fail, path that must
 * not]`; `:mallory` in a statement is another user's value.
 */
const DAMAGE = [
  [
    "a byte of a value",
    "UPDATE contexts SET value = CAST(substr(value, 1, 40) || x'00' || substr(value, 42) AS BLOB) WHERE id = 'p'",
    "project/p",
    "global/global",
  ],
  [
    "the last byte",
    "UPDATE contexts SET value = CAST(substr(value, 1, length(value) - 1) || x'00' AS BLOB) WHERE id = 'p'",
    "project/p",
    "global/global",
  ],
  ["a short value", "UPDATE contexts SET value = x'0100' WHERE id = 'p'", "project/p", "global/global"],
  ["no value", "UPDATE contexts SET value = x'' WHERE id = 'p'", "project/p", "global/global"],
  [
    "values of two contexts swapped",
    "UPDATE contexts SET value = (SELECT value FROM contexts WHERE id = 'b') WHERE id = 'p'",
    "project/p",
    "branch/b",
  ],
  [
    "a version's value as a context's",
    "UPDATE contexts SET value = (SELECT value FROM versions WHERE id = 'p' AND version = 1) WHERE id = 'p'",
    "project/p",
    "branch/b",
  ],
  ["another level", "UPDATE contexts SET level = 2, parent = 'p' WHERE id = 'p'", "branch/p", "global/global"],
  ["another id", "UPDATE contexts SET id = 'q' WHERE id = 'p'", "project/q", "global/global"],
  ["another parent", "UPDATE contexts SET parent = 'q' WHERE id = 'b'", "branch/b", "project/p"],
  ["deleted by hand", "UPDATE contexts SET deleted = 9 WHERE id = 'p'", "project/p", "global/global"],
  ["restored by hand", "UPDATE contexts SET deleted = NULL WHERE id = 't'", "task/t", "branch/b"],
  ["another time", "UPDATE contexts SET updated_at = updated_at + 1 WHERE id = 'p'", "project/p", "branch/b"],
  ["another user's value", "UPDATE contexts SET value = :mallory WHERE id = 'p'", "project/p", "branch/b"],
  [
    "versions swapped",
    "UPDATE versions SET value = (SELECT value FROM versions WHERE id = 'p' AND version = 2) WHERE id = 'p' AND version = 3",
    "project/p/history",
    "project/p",
  ],
  [
    "a version's commit",
    "UPDATE versions SET seq = seq + 1 WHERE id = 'p' AND version = 2",
    "project/p?version=1",
    "project/p",
  ],
  ["an insight moved", "UPDATE entries SET n = n + 5", "project/p/insights", "project/p"],
  [
    "a secret's value as another's",
    "UPDATE secrets SET value = (SELECT value FROM secrets ORDER BY fingerprint DESC LIMIT 1)",
    "/v1/contexts?data=true&reveal=true",
    "project/p",
  ],
  ["a line of the audit trail", "UPDATE audit SET at = at + 1 WHERE seq = 2", "/v1/audit", "project/p"],
  [
    "a member made up",
    "INSERT INTO members VALUES ('p', 'mallory', (SELECT value FROM members))",
    "/v1/members",
    "project/p",
  ],
  [
    "the keys",
    "UPDATE meta SET keys = CAST(substr(keys, 1, 60) || x'00' || substr(keys, 62) AS BLOB)",
    "project/p",
    undefined,
  ],
  ["another user's keys", "UPDATE meta SET keys = :mallory_keys", "project/p", undefined],
  ["another owner", "UPDATE meta SET owner = 'mallory'", "project/p", undefined],
  ["a schema of the future", "UPDATE meta SET schema = 99, needs = 99", "project/p", undefined],
];

test("damaged, moved and foreign rows are refused, and only they", async () => {
  await fill("mallory");
  for (const index of DAMAGE.keys()) await fill(`victim${index}`);
  await worker.stop();
  const mallory = {};
  withDatabases(persist, (database, owner) => {
    if (owner !== "mallory") return;
    mallory[":mallory"] = database.prepare("SELECT value FROM contexts WHERE id = 'p'").get().value;
    mallory[":mallory_keys"] = database.prepare("SELECT keys FROM meta").get().keys;
  });
  let damaged = 0;
  withDatabases(persist, (database, owner) => {
    if (!owner?.startsWith("victim")) return;
    const [, statement] = DAMAGE[Number(owner.slice("victim".length))];
    const used = Object.entries(mallory).filter(([name]) => new RegExp(`${name}\\b(?!_)`).test(statement));
    const { changes } = database.prepare(statement).run(Object.fromEntries(used));
    assert.ok(changes > 0, statement);
    damaged++;
  });
  assert.equal(damaged, DAMAGE.length);
  worker = await start({ persist, vars });
  const full = (path) => (path.startsWith("/") ? path : `/v1/contexts/${path}`);
  for (const [index, [name, , broken, whole]] of DAMAGE.entries()) {
    const api = worker.api(`victim${index}`, SCOPE);
    const refused = await api.get(full(broken));
    assert.deepEqual([refused.status, refused.body?.code], [503, "store-unavailable"], `${name}: ${refused.text}`);
    assert.ok(!refused.text.includes(SECRET), name);
    if (whole) assert.equal((await api.get(full(whole))).status, 200, name);
    else assert.equal(refused.headers.get("nacre-seq"), null, "what is not known is not said");
    const write = await api.patch("/v1/contexts/project/p", { d: 1 }, MERGE);
    if (broken === "project/p") assert.equal(write.status, 503, `${name}: ${write.text}`);
  }
  const guest = await worker.api("mallory").get("/v1/contexts/project/p", { "nacre-owner": "victim18" });
  assert.equal(DAMAGE[18][0], "a member made up");
  assert.ok(guest.status >= 400, guest.text);
  assert.ok(Object.values(await everything("mallory")).every(([status]) => status === 200));
});

test("an erased store is gone with its keys, and a new one begins from nothing", async () => {
  await fill("alice");
  const api = worker.api("alice", SCOPE);
  assert.equal((await api.delete("/v1/store")).status, 400);
  assert.equal((await worker.api("alice").delete("/v1/store", { "nacre-confirm": "erase" })).status, 403);
  const erased = await api.delete("/v1/store", { "nacre-confirm": "erase" });
  assert.equal(erased.status, 204, erased.text);
  assert.equal((await api.get("/v1/contexts/project/p")).status, 404);
  assert.deepEqual((await api.get("/v1/contexts")).body.items, []);
  assert.equal((await api.get("/v1/keys")).status, 404);
  const made = ok(await api.put("/v1/contexts/project/p", { data: { new: true } }));
  assert.deepEqual([made.status, made.body.version, made.headers.get("nacre-seq")], [201, 1, "1"]);
  ok(await api.delete("/v1/store", { "nacre-confirm": "erase" }));
  await worker.stop();
  withDatabases(persist, (database, owner) => {
    assert.equal(owner, undefined);
    const { tables } = database
      .prepare("SELECT count(*) AS tables FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .get();
    assert.equal(tables, 0);
  });
  worker = undefined;
});

test("a deployment without its secrets refuses every request and says what is missing", async () => {
  for (const name of ["NACRE_MASTER_KEYS", "NACRE_JWT_SECRET"]) {
    await using lacking = await start({ vars: { [name]: undefined } });
    const bearer = token({ sub: "alice" }, lacking.secret ?? "a secret that nobody has set anywhere");
    for (const path of ["/v1/contexts", "/healthz"]) {
      const answer = await client(lacking.url, bearer).get(path);
      assert.equal(answer.status, 500, path);
      assert.match(answer.body.detail, new RegExp(name));
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
    }
  }
});
