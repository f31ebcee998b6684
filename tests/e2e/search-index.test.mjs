// The index of searches behind the writes: the outbox of an object, its own rows, and the shared
// database of keyed tokens, which may fail, lose its tables, or be told the same twice.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";

import { withDatabases } from "./databases.mjs";
import { start } from "./harness.mjs";

const SCOPE = { scope: "contexts:read contexts:write admin" };
const ERASE = { "nacre-confirm": "erase" };

const ok = (answer) => {
  assert.ok(answer.status < 300, `${answer.status}: ${answer.text}`);
  return answer;
};

/** Waits until `look` gives what is wanted. */
async function until(look, wanted, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  let seen;
  do {
    seen = await look();
    if (JSON.stringify(seen) === JSON.stringify(wanted)) return;
    await sleep(50);
  } while (Date.now() < end);
  assert.deepEqual(seen, wanted, what);
}

/** How many documents with an address the shared database has, and how many documents have tokens. */
async function delivered(worker) {
  const database = await worker.searchDatabase();
  const one = async (sql) => Object.values((await database.prepare(sql).all()).results[0])[0];
  try {
    return [
      await one("SELECT count(*) FROM documents WHERE address IS NOT NULL"),
      await one("SELECT count(*) FROM words"),
    ];
  } catch (error) {
    if (/no such table/.test(error.message)) return "no tables";
    throw error;
  }
}

const indexed = async (api) => (await api.get("/v1/admin/reindex")).body?.documents;

/** Runs SQL in the shared database. */
async function change(worker, sql) {
  const database = await worker.searchDatabase();
  await database.prepare(sql).run();
}

const fail = (worker) => change(worker, "ALTER TABLE documents RENAME COLUMN doc TO away");
const mend = (worker) => change(worker, "ALTER TABLE documents RENAME COLUMN away TO doc");

/** Makes `count` tasks of a branch, below a project and the global context. */
async function fill(api, count, name = "t") {
  const line = (n) => ({ level: "task", id: `${name}${n}`, parent: "b", data: { note: `zebra number ${n}` } });
  const lines = [
    { level: "project", id: "p", data: { title: "quagga" } },
    { level: "branch", id: "b", parent: "p", data: {} },
    ...Array.from({ length: count }, (_, n) => line(n)),
  ];
  ok(
    await api.post("/v1/import?mode=replace", lines.map((one) => JSON.stringify(one)).join("\n"), {
      "content-type": "application/x-ndjson",
    }),
  );
}

/** The rows of alice's outbox and index, in a stopped object's database. */
function stored(persist) {
  let found;
  withDatabases(persist, (database, owner) => {
    if (owner !== "alice") return;
    const count = (table) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get().n;
    found = { outbox: count("outbox"), search: count("search") };
  });
  return found;
}

test("a change reaches the own rows and the shared database, and nothing there can be read", async (t) => {
  const persist = mkdtempSync(join(tmpdir(), "nacre-"));
  t.after(() => rmSync(persist, { recursive: true, force: true }));
  const worker = await start({ persist });
  try {
    const api = worker.api("alice", SCOPE);
    await fill(api, 20);
    await until(() => delivered(worker), [22, 22]);
    assert.equal(await indexed(api), 22);
    // A change replaces the tokens, a note is one, and what is deleted leaves no token.
    ok(await api.put("/v1/contexts/task/t1", { data: { note: "okapi" } }));
    ok(await api.post("/v1/contexts/task/t2/insights", { content: "the gnu is near" }));
    ok(await api.delete("/v1/contexts/task/t3"));
    await until(() => delivered(worker), [21, 21]);
    assert.equal(await indexed(api), 21);
    ok(await api.post("/v1/contexts/task/t3/restore"));
    await until(() => delivered(worker), [22, 22]);
    // Another owner's equal words are other tokens.
    const tokens = async () => {
      const database = await worker.searchDatabase();
      return (await database.prepare("SELECT count(*) AS n FROM terms").all()).results[0].n;
    };
    const before = await tokens();
    await fill(worker.api("bob", SCOPE), 20);
    await until(() => delivered(worker), [44, 44]);
    assert.ok((await tokens()) > 1.8 * before, "equal words have equal tokens");
  } finally {
    await worker.stop();
  }
  assert.deepEqual(stored(persist), { outbox: 0, search: 22 });
  let bytes = 0;
  for (const entry of readdirSync(persist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/D1/.test(entry.parentPath)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "latin1");
    bytes += text.length;
    for (const plain of ["zebra", "quagga", "okapi", "the gnu", "alice", "bob", "t11", "task"]) {
      assert.ok(!text.includes(plain), `${plain} stands in ${entry.name}`);
    }
  }
  assert.ok(bytes > 20_000, `only ${bytes} bytes were looked at`);
});

test("while the shared database fails, the own rows go on, and it gets everything when it is back", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  await fill(api, 5);
  await until(() => delivered(worker), [7, 7]);
  await fail(worker);
  await fill(api, 30, "u");
  ok(await api.delete("/v1/contexts/task/t0"));
  await until(() => indexed(api), 36);
  await sleep(1500); // It is asked again, in vain.
  assert.equal((await delivered(worker))[1], 7);
  await mend(worker);
  await until(() => delivered(worker), [36, 36]);
});

test("tables that were dropped are made anew, with all that was in them", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  await fill(api, 150);
  await until(() => delivered(worker), [152, 152]);
  for (const table of ["terms", "words", "documents", "tables"]) await change(worker, `DROP TABLE ${table}`);
  ok(await api.put("/v1/contexts/task/t1", { data: { note: "okapi" } }));
  await until(() => delivered(worker), [152, 152]);
  // One of them alone, too.
  await change(worker, "DROP TABLE words");
  ok(await api.put("/v1/contexts/task/t1", { data: { note: "zebra" } }));
  await until(() => delivered(worker), [152, 152]);
});

test("a commit right before the end of the process is indexed after it", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  await fill(api, 3);
  await until(() => delivered(worker), [5, 5]);
  for (let round = 1; round <= 3; round++) {
    ok(await api.put(`/v1/contexts/task/k${round}`, { data: { note: "killed" }, parent: "b" }));
    await sleep(round * 300); // before the drain, and about when it runs
    await worker.kill();
    await until(() => delivered(worker), [5 + round, 5 + round], `round ${round}`);
  }
  assert.equal(await indexed(api), 8);
});

test("an object that was dropped from memory drains its outbox all the same", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  await fill(api, 3);
  await worker.evict("alice");
  await until(() => delivered(worker), [5, 5]);
  await fail(worker);
  ok(await api.put("/v1/contexts/task/e", { data: {}, parent: "b" }));
  await until(() => indexed(api), 6);
  await worker.evict("alice");
  await mend(worker);
  await until(() => delivered(worker), [6, 6]);
});

test("a reindex makes everything anew, and says how far it is", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  assert.equal((await api.post("/v1/admin/reindex")).status, 404, "there is no store");
  await fill(api, 1200);
  ok(await api.delete("/v1/contexts/task/t7"));
  await until(() => delivered(worker), [1201, 1201]);
  await change(worker, "DELETE FROM words WHERE rowid > 100"); // A loss that nothing tells of.
  assert.equal((await delivered(worker))[1], 100);
  const begun = await api.post("/v1/admin/reindex");
  assert.equal(begun.status, 202, begun.text);
  assert.equal(begun.body.of, 1202);
  assert.equal(begun.body.done, 0);
  await until(async () => (await api.get("/v1/admin/reindex")).body, { documents: 1201, done: 1201, of: 1201 });
  await until(() => delivered(worker), [1201, 1201]);
  for (const api of [worker.api("alice"), worker.api("bob", SCOPE)]) {
    const refused = await api.post("/v1/admin/reindex", undefined, { "nacre-owner": "alice" });
    assert.ok([403, 404].includes(refused.status), refused.text);
  }
});

test("an erased store leaves the shared database, at once or when that is back", async () => {
  await using worker = await start();
  const [alice, bob] = ["alice", "bob"].map((user) => worker.api(user, SCOPE));
  await fill(alice, 5);
  await fill(bob, 3);
  await until(() => delivered(worker), [12, 12]);
  ok(await alice.delete("/v1/store", ERASE));
  await until(() => delivered(worker), [5, 5]);
  await fail(worker);
  ok(await bob.delete("/v1/store", ERASE));
  assert.equal((await bob.get("/v1/admin/reindex")).status, 404);
  // A new store comes before the rows of the old one are gone.
  await fill(bob, 1);
  await worker.evict("bob");
  await mend(worker);
  await until(() => delivered(worker), [3, 3]);
  ok(await bob.delete("/v1/store", ERASE));
  await until(() => delivered(worker), [0, 0]);
});

test("a deployment without a shared database indexes its own rows", async (t) => {
  const persist = mkdtempSync(join(tmpdir(), "nacre-"));
  t.after(() => rmSync(persist, { recursive: true, force: true }));
  const worker = await start({ persist, bindings: { d1Databases: {} } });
  try {
    const api = worker.api("alice", SCOPE);
    await fill(api, 130);
    await until(() => indexed(api), 132);
    ok(await api.delete("/v1/contexts/task/t7"));
    await until(() => indexed(api), 131);
    await until(async () => (await api.post("/v1/admin/reindex")) && (await api.get("/v1/admin/reindex")).status, 200);
    await until(async () => (await api.get("/v1/admin/reindex")).body.done, 131);
  } finally {
    await worker.stop();
  }
  assert.deepEqual(stored(persist), { outbox: 0, search: 131 });
});

test("a write does not wait for the documents that are encoded meanwhile", async () => {
  await using worker = await start();
  const api = worker.api("alice", SCOPE);
  await fill(api, 1);
  const write = async (n) => {
    const begun = performance.now();
    ok(await api.put("/v1/contexts/task/t0", { data: { n } }));
    return performance.now() - begun;
  };
  const median = async () => {
    const times = [];
    for (let n = 0; n < 41; n++) times.push(await write(n));
    return times.sort((a, b) => a - b)[20];
  };
  await write(0);
  const alone = await median();
  const words = Array.from({ length: 200 }, (_, n) => `word${n} of a long text`).join(" ");
  const line = (n) => JSON.stringify({ level: "task", id: `long${n}`, parent: "b", data: { words } });
  const lines = Array.from({ length: 200 }, (_, n) => line(n)).join("\n");
  ok(await api.post("/v1/import?mode=replace", lines, { "content-type": "application/x-ndjson" }));
  await until(() => indexed(api), 203);
  await sleep(1000); // It has begun.
  const meanwhile = await median();
  const last = { q: "word", mode: "semantic", under: { level: "task", id: "long99" } };
  const { items } = ok(await api.post("/v1/search", last)).body;
  assert.ok(!items?.[0]?.reasons.near, "documents are being encoded still");
  assert.ok(meanwhile < 2 * alone + 5, `${meanwhile} ms, and ${alone} ms alone`);
});
