// What a search finds does not depend on what the object has in memory: after a write, right after a
// wake-up, while the index is made, and when it is asked in odd ways.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";

import { withDatabases } from "./databases.mjs";
import { start } from "./harness.mjs";

let worker;
before(async () => {
  worker = await start({ assets: false }); // No models: nothing is encoded behind.
});
after(() => worker?.stop());

const SCOPE = { scope: "contexts:read contexts:write admin" };
const EVERY_WORD = "zebra stands in the meadow and looks at the hills far away";

const ok = (answer) => {
  assert.ok(answer.status < 300, `${answer.status}: ${answer.text}`);
  return answer;
};
const put = (api, path, data, parent) => api.put(`/v1/contexts/${path}`, { data, ...(parent && { parent }) }).then(ok);
const find = (api, q, more = "", headers = {}) =>
  api.get(`/v1/search?q=${encodeURIComponent(q)}${more}`, headers).then(ok);
const ids = ({ body }) => body.items.map(({ id }) => id);

/** Asks again until the answer is right, or long enough; the last answer. */
async function until(ask, isRight) {
  for (let left = 200; ; left -= 1) {
    const answer = await ask();
    if (isRight(answer) || left === 0) return answer;
    await sleep(100);
  }
}

/** Stores tasks with these notes below a branch, and waits until all are indexed. */
async function fill(api, notes) {
  const lines = [
    { level: "project", id: "p", data: {} },
    { level: "branch", id: "b", parent: "p", data: {} },
    ...Object.entries(notes).map(([id, note]) => ({ level: "task", id, parent: "b", data: { note } })),
  ];
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  ok(await api.post("/v1/import?mode=replace", body, { "content-type": "application/x-ndjson" }));
  const state = await until(
    () => api.get("/v1/admin/reindex"),
    ({ body }) => body.documents === lines.length,
  );
  assert.equal(state.body.documents, lines.length);
  await sleep(1500); // The shared database has them, too.
}

/** All pages of an answer. */
async function pages(api, q, more = "") {
  const found = [];
  for (let cursor; cursor !== null; ) {
    const answer = await find(api, q, `${more}${cursor ? `&cursor=${cursor}` : ""}`);
    found.push(...ids(answer));
    cursor = answer.body.next_cursor;
  }
  return found;
}

test("a context is found by its meaning, also if it was encoded before the next search", async () => {
  await using worker = await start();
  const eve = worker.api("eve", SCOPE);
  await put(eve, "project/p", {});
  await put(eve, "branch/b", {}, "p");
  await put(eve, "task/bread", { text: "Flour, water, salt and yeast; bake for forty minutes." }, "b");
  await until(
    () => find(eve, "dough"),
    ({ body }) => body.ranking.includes("vectors"),
  );
  await put(eve, "task/cars", { text: "The automobile needs a new engine and four wheels." }, "b");
  // Nobody searches until the alarm has encoded it.
  await sleep(5000);
  const answer = await find(eve, "vehicle repair");
  assert.equal(answer.body.items[0]?.id, "cars", answer.text);
  assert.ok(answer.body.items[0].reasons.near > 0.1, answer.text);
});

test("a store from before there was an index is searched at once, and while it is indexed", async (t) => {
  const persist = mkdtempSync(join(tmpdir(), "nacre-"));
  t.after(() => rmSync(persist, { recursive: true, force: true }));
  const vars = { NACRE_MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString("base64")}` };
  const notes = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`t${n}`, `zebra number ${n}`]));
  const old = await start({ persist, vars, assets: false });
  await fill(old.api("alice", SCOPE), notes);
  await old.stop();
  withDatabases(persist, (database, owner) => {
    if (owner !== "alice") return;
    for (const table of ["outbox", "search", "search_state"]) database.exec(`DROP TABLE ${table}`);
    database.exec("UPDATE meta SET schema = 3, needs = 2");
  });
  await using worker = await start({ persist, vars, assets: false });
  const api = worker.api("alice", SCOPE);
  assert.equal((await find(api, "zebra", "&mode=text")).body.total_estimate, 120);
  await until(
    () => api.get("/v1/admin/reindex"),
    ({ body }) => body.documents === 122,
  );
  assert.equal((await find(api, "zebra", "&mode=text")).body.total_estimate, 120);
});

test("a cold store finds phrases, and what remains without them, behind any number of near misses", async () => {
  const api = worker.api("cold", SCOPE);
  const notes = {};
  for (let n = 0; n < 300; n += 1) notes[`x${n}`] = "zebra lost key umbrella";
  for (let n = 0; n < 20; n += 1)
    notes[`y${n}`] = `${EVERY_WORD} ${"grass ".repeat(20)} lost umbrella and then one more key`;
  for (let n = 0; n < 900; n += 1) notes[`z${n}`] = `filler text ${n}`;
  await fill(api, notes);
  for (const q of ['zebra -"lost key"', '"lost umbrella"']) {
    await worker.evict("cold");
    const cold = await find(api, q, "&mode=text&limit=100");
    await sleep(1000); // All documents are loaded behind the answer.
    const warm = await find(api, q, "&mode=text&limit=100");
    assert.equal(warm.body.items.length, 20, q);
    assert.deepEqual(ids(cold).sort(), ids(warm).sort(), q);
  }
});

test("no query is an error, not even in a cold store", async () => {
  const api = worker.api("odd", SCOPE);
  await fill(
    api,
    Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`t${n}`, `zebra number ${n} near or and not`])),
  );
  const words = (count, word) => Array.from({ length: count }, (_, n) => word(n)).join(" ");
  const letters = (n) => String.fromCharCode(97 + (n % 26), 97 + ((n / 26) | 0));
  const queries = [
    "!\"§$%&/()=?`´*+~#'-_.:,;<>|^°\\{}[]".repeat(100),
    '"'.repeat(1000),
    "a* ".repeat(1300),
    "zebra OR number NEAR/3 t1",
    "NEAR(zebra number, 2)",
    "note : zebra",
    "{tokens} : zebra",
    "^zebra",
    'zebra" OR "number',
    "'; DROP TABLE words; --",
    "(((((((((((((((zebra",
    ".*(a+)+$",
    "zebra\u0000number",
    "\ufeff\u202e\u0301\u0301 \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{10ffff}",
    "level:",
    "path:/",
    "level:task,branch,",
    words(40, (n) => `-${letters(n)}x`) + " zebra",
    words(300, (n) => `-${letters(n)}x`) + " zebra",
    words(500, (n) => `w${n}`),
    words(400, (n) => `"w${n} x"`),
    "ab".repeat(2048),
    "-",
    '-""',
    "*",
  ];
  for (const q of queries) {
    await worker.evict("odd");
    for (const more of ["", "&mode=text", "&mode=text", "&scope=resolved"]) {
      const answer = await api.get(`/v1/search?q=${encodeURIComponent(q)}${more}`);
      assert.equal(answer.status, 200, `${q.slice(0, 60)}: ${answer.text}`);
      assert.ok(!answer.body.degraded, `${q.slice(0, 60)}: degraded`);
    }
  }
});

test("wrong members of a body are named", async () => {
  const api = worker.api("body", SCOPE);
  await put(api, "project/p", { title: "zebra" });
  const wrong = [
    7,
    -1,
    1.5,
    true,
    {},
    [],
    [null],
    [7],
    "",
    "\u0000",
    "x".repeat(5000),
    { level: 1 },
    { level: "task" },
  ];
  for (const name of ["q", "mode", "scope", "levels", "under", "since", "by", "path", "limit", "cursor", "explain"]) {
    for (const value of wrong) {
      const answer = await api.post("/v1/search", { [name]: value });
      assert.ok([200, 400].includes(answer.status), `${name} ${JSON.stringify(value)}: ${answer.text}`);
      if (answer.status === 400) {
        assert.ok(answer.body.pointer?.startsWith(`/${name}`), `${name} ${JSON.stringify(value)}: ${answer.text}`);
      } else {
        const is = {
          q: typeof value === "string",
          explain: typeof value === "boolean",
          limit: value === 7,
          since: value === 7,
          path: value === "",
        };
        assert.ok(is[name], `${name} ${JSON.stringify(value)} was taken`);
      }
    }
  }
  for (const body of ["", "[]", "7", "null", '"zebra"', "{", '{"q":"a","q":"b"}', '{"x":1}']) {
    assert.equal((await api.post("/v1/search", body)).status, 400, body);
  }
});

test("a guest is not told how much is read for their search", async () => {
  const owner = worker.api("otto", SCOPE);
  await fill(owner, { t: "zebra" });
  await put(owner, "project/shared", { title: "zebra" });
  ok(await owner.put("/v1/members/gina", { project: "shared", role: "reader" }));
  const guest = worker.api("gina");
  const rows = async () => {
    await worker.evict("otto");
    const answer = await find(guest, "zebra", "&mode=text", { "nacre-owner": "otto" });
    assert.deepEqual(ids(answer), ["shared"]);
    return answer.headers.get("server-timing");
  };
  const first = await rows();
  await put(owner, "task/u", { note: "hidden" }, "b");
  await sleep(2500);
  assert.equal(await rows(), first);
});

test("pages hold every item once, cold or warm", async () => {
  const api = worker.api("pages", SCOPE);
  const notes = {};
  for (let n = 0; n < 1200; n += 1) {
    notes[`t${n}`] =
      `${n % 3 ? "zebra " : ""}${n % 5 ? "quagga " : ""}${"grass ".repeat(n % 17)} ${n % 7 ? "okapi" : "gnu"}`;
  }
  await fill(api, notes);
  for (const q of ["gnu zebra", "quagga okapi"]) {
    await worker.evict("pages");
    const cold = await pages(api, q, "&mode=text&limit=50");
    const warm = await pages(api, q, "&mode=text&limit=50");
    assert.equal(new Set(warm).size, warm.length, q);
    assert.deepEqual(new Set(cold), new Set(warm), q);
    assert.equal(new Set(cold).size, cold.length, q);
  }
});

test("a first page of candidates loses no item that the shared database ranks low", async () => {
  const api = worker.api("low", SCOPE);
  const filler = "grass grows on the hills and by the river all year long";
  const notes = {};
  for (let n = 0; n < 900; n += 1) notes[`f${n}`] = filler;
  for (let n = 0; n < 300; n += 1) notes[`g${n}`] = "gnu in the herd";
  await fill(api, notes);
  // Titles weigh more, which the shared database does not know: it takes shorter texts to be better.
  for (let n = 0; n < 3; n += 1) {
    await put(api, `task/best${n}`, { title: "gnu", text: "one two three four five" }, "b");
  }
  await sleep(2500);
  await find(api, "gn*"); // This reads all documents.
  const first = await find(api, "gnu", "&mode=text&limit=3");
  assert.deepEqual(ids(first), ["best0", "best1", "best2"]);
  for (const limit of [10, 100]) {
    await worker.evict("low");
    const found = await pages(api, "gnu", `&mode=text&limit=${limit}`);
    assert.equal(new Set(found).size, found.length, `limit ${limit}: an item came twice`);
    assert.equal(found.length, 303, `limit ${limit}`);
  }
});

test("a search right after a large import answers soon, finds the last write, and later all", async () => {
  const api = worker.api("large", SCOPE);
  const count = 12_000;
  await put(api, "project/p", {});
  await put(api, "branch/b", {}, "p");
  await find(api, "zebra", "&mode=text"); // From now on it is in memory.
  const word = (n, at) => `word${(n * (at + 1) + at * at) % 7919}`;
  const note = (n) => `zebra number ${n} ${Array.from({ length: 60 }, (_, at) => word(n, at)).join(" ")}`;
  const line = (n) => JSON.stringify({ level: "task", id: `t${n}`, parent: "b", data: { note: note(n) } });
  const ndjson = { "content-type": "application/x-ndjson" };
  const lines = Array.from({ length: count }, (_, n) => line(n)).join("\n");
  ok(await api.post("/v1/import?mode=replace", lines, ndjson));
  await put(api, "task/last", { note: "a quagga came last" }, "b");
  let isAnswered = false;
  const first = find(api, "quagga zebra", "&mode=text&limit=100").finally(() => (isAnswered = true));
  // Other requests come between the steps.
  let between = 0;
  while (!isAnswered) {
    ok(await api.get("/v1/contexts/task/t0"));
    if (!isAnswered) between += 1;
  }
  const answer = await first;
  assert.ok(between > 1, `only ${between} reads came between the steps`);
  assert.equal(answer.body.degraded, true, "all documents were made at once");
  assert.match(answer.headers.get("server-timing"), /index-lag;desc="[1-9]/);
  assert.equal(ids(answer)[0], "last");
  // A further page needs all documents.
  const next = `&mode=text&limit=100&cursor=${answer.body.next_cursor}`;
  const early = await api.get(`/v1/search?q=quagga%20zebra${next}`);
  assert.ok([200, 503].includes(early.status), early.text);
  await put(api, "task/later", { note: "an okapi came later" }, "b");
  assert.deepEqual(ids(await find(api, "okapi", "&mode=text")), ["later"]);
  const whole = await until(
    () => find(api, "zebra", "&mode=text"),
    ({ body }) => !body.degraded,
  );
  assert.equal(whole.body.total_estimate, count);
  const second = await find(api, "quagga zebra", next);
  const seen = new Set([...ids(answer), ...ids(second)]);
  assert.equal(seen.size, 200);
});
