// Searches of an object that has just woken up: the shared database names candidates, and where it
// does not answer, the object's own rows do.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { start } from "./harness.mjs";

const SCOPE = { scope: "contexts:read contexts:write admin" };
/** Above 1,000 contexts an object that was asleep asks the shared database. */
const CONTEXTS = 1300;
/** More rows are read only by one that reads all documents. */
const FEW_ROWS = 800;
const BUDGET_MILLIS = 4000;

// What the shared database does: each batch of statements asks for it first.
const fine = () => ({ query: "ok", put: "ok" });
let fault = fine();
const faults = createServer((request, response) => response.end(fault[request.url.slice(1)]));

let worker;
let alice;
before(async () => {
  faults.listen(0, "127.0.0.1");
  await once(faults, "listening");
  const url = `http://127.0.0.1:${faults.address().port}`;
  worker = await start({
    vars: {
      NACRE_SEARCH_BUDGET_MS: `${BUDGET_MILLIS}`,
      NACRE_QUOTAS: "requests_per_second=100000,burst=100000",
    },
    rewrite: (script) => withFaults(script, url),
  });
  alice = worker.api("alice", SCOPE);
  await fill(alice);
});
after(async () => {
  await worker?.stop();
  faults.close();
});
beforeEach(() => {
  fault = fine();
});

/** The Worker's script with a shared database that fails or waits when it is told to. */
function withFaults(script, url) {
  const calls = [...script.matchAll(/(\w+)\.batch\((\w+)\)/g)];
  assert.equal(calls.length, 1, "the script asks D1 in one place");
  const [[call, , statements]] = calls;
  const faulty = `(async () => {
    const kind = ${statements}[0].statement.startsWith("INSERT") ? "put" : "query";
    const fault = await (await fetch("${url}/" + kind)).text();
    if (fault === "fail") throw new Error("a fault");
    if (fault === "late") await new Promise((resolve) => setTimeout(resolve, ${2 * BUDGET_MILLIS}));
    return ${call};
  })()`;
  return script.replace(call, () => faulty);
}

const ok = (answer) => {
  assert.ok(answer.status < 300, `${answer.status}: ${answer.text}`);
  return answer;
};

/** Tasks of different lengths, with words that all, many and few of them have. */
async function fill(api) {
  const task = (n) => {
    const text = `zebra grazes ${"by the river ".repeat(n % 5)} herd${n % 13} near pool${n % 100}`;
    return { level: "task", id: `t${n}`, parent: "b", data: { title: `Report ${n}`, text } };
  };
  const lines = [
    { level: "project", id: "p", data: { title: "savanna" } },
    { level: "branch", id: "b", parent: "p", data: {} },
    ...Array.from({ length: CONTEXTS - 2 }, (_, n) => task(n)),
  ];
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  ok(await api.post("/v1/import?mode=replace", body, { "content-type": "application/x-ndjson" }));
  await isIndexed(api);
}

/** Waits until nothing is in the outbox. */
async function isIndexed(api) {
  for (let left = 600; ; left--) {
    const { body } = ok(await api.get("/v1/admin/reindex"));
    if (body.done === body.of && body.done >= CONTEXTS) return;
    assert.ok(left > 0, `only ${body.done} of ${body.of} are indexed`);
    await sleep(100);
  }
}

const search = async (asked, api = alice) => {
  const { body, headers } = ok(await api.post("/v1/search", asked));
  const [, rows] = /rows-read;desc="(\d+)"/.exec(headers.get("server-timing"));
  return { ...body, rows: Number(rows) };
};

/** Whether an answer was made without reading all documents. */
const wasQuick = ({ rows, degraded }, what) =>
  assert.ok(rows < FEW_ROWS && !degraded, `${what}: ${rows} rows were read${degraded ? ", degraded" : ""}`);
const text = (q, more = {}) => search({ q, mode: "text", ...more });

/** Has the object read all documents: only they tell what a prefix stands for. */
const warm = () => text("zeb*");

const ids = ({ items }) => items.map(({ id }) => id);

/** Asks until the answer is right. */
async function until(ask, isRight) {
  for (let left = 200; ; left--) {
    const answer = await ask();
    if (isRight(answer) || left === 0) return answer;
    await sleep(100);
  }
}

test("the first search reads the candidates alone, and answers as one that knows all", async () => {
  for (const q of ["pool7", "river herd3", "zebra pool42", "pool9 -river", "report 77"]) {
    await worker.evict("alice");
    const cold = await text(q);
    wasQuick(cold, q);
    await warm();
    const known = await text(q);
    assert.ok(known.items.length > 0, q);
    assert.deepEqual(cold.items, known.items, q);
    assert.equal(cold.degraded, undefined);
  }
  await worker.kill();
  const cold = await text("pool7 herd3");
  wasQuick(cold, "after a kill");
  await warm();
  assert.deepEqual(cold.items, (await text("pool7 herd3")).items);
});

test("a search in all rankings is answered by words until all documents are in memory", async () => {
  await worker.evict("alice");
  const cold = await search({ q: "pool7 herd3" });
  wasQuick(cold, "hybrid");
  assert.deepEqual(cold.ranking, ["words"]);
  const loaded = await until(
    () => search({ q: "pool7 herd3" }),
    ({ ranking }) => ranking.includes("vectors"),
  );
  assert.ok(loaded.ranking.includes("vectors"), "the corpus is loaded behind the answer");
});

test("what the outbox still holds is found, and what it deletes is not", async () => {
  fault.put = "fail";
  await warm();
  ok(await alice.put("/v1/contexts/task/new", { parent: "b", data: { text: "pool7 okapi" } }));
  ok(await alice.put("/v1/contexts/task/t7", { data: { text: "moved to the gnu" } }));
  ok(await alice.delete("/v1/contexts/task/t107"));
  ok(await alice.post("/v1/contexts/task/t8/insights", { content: "a quagga was seen" }));
  // Others have a part of the word.
  const whole = ["new", ...Array.from({ length: 11 }, (_, n) => `t${n + 2}07`)];
  // Before the alarm has looked at the outbox, and after it.
  for (const wait of [0, 2500]) {
    await sleep(wait);
    await worker.kill();
    const found = await text("pool7", { limit: 100 });
    assert.ok(found.rows < FEW_ROWS, `after ${wait} ms: ${found.rows} rows were read`);
    assert.deepEqual(new Set(ids(found).slice(0, 12)), new Set(whole));
    assert.ok(!ids(found).includes("t7") && !ids(found).includes("t107"), ids(found).join());
    for (const [q, id] of [
      ["okapi", "new"],
      ["gnu", "t7"],
      ["quagga", "t8"],
    ]) {
      assert.deepEqual(ids(await text(q)), [id]);
    }
  }
  fault.put = "ok";
  ok(await alice.put("/v1/contexts/task/new", { data: { text: "okapi again" } }));
  await isIndexed(alice);
});

test("without the shared database the answer is whole, and says so until it is back", async () => {
  await warm();
  const known = await text("pool42 herd3", { limit: 100 });
  for (const kind of ["fail", "late"]) {
    fault.query = kind;
    await worker.evict("alice");
    const begun = performance.now();
    const degraded = await text("pool42 herd3", { limit: 100 });
    const millis = performance.now() - begun;
    assert.equal(degraded.degraded, true, kind);
    assert.deepEqual(degraded.items, known.items, kind);
    assert.equal(degraded.total_estimate, known.total_estimate, kind);
    assert.ok(millis < 1.8 * BUDGET_MILLIS, `${kind}: it took ${millis} ms`);
    assert.equal((await text("pool42 herd3")).degraded, true, "it still says so");
    fault.query = "ok";
    const back = await until(
      () => text("pool42 herd3", { limit: 100 }),
      ({ degraded }) => !degraded,
    );
    assert.equal(back.degraded, undefined, `${kind}: it is back`);
    assert.deepEqual(back.items, known.items, kind);
  }
});

test("pages go on where the first one ended, whatever was loaded meanwhile", async () => {
  await warm();
  for (const mode of ["text", "hybrid"]) {
    const all = (await text("herd3 pool42 river", { limit: 100 })).items;
    await worker.evict("alice");
    let page = await search({ q: "herd3 pool42 river", mode, limit: 10 });
    wasQuick(page, mode);
    assert.deepEqual(page.ranking, ["words"]);
    const seen = ids(page);
    while (seen.length < 100) {
      page = await search({ q: "herd3 pool42 river", mode, limit: 10, cursor: page.next_cursor });
      assert.equal(page.items.length, 10);
      seen.push(...ids(page));
    }
    assert.deepEqual(
      seen,
      all.map(({ id }) => id),
      mode,
    );
  }
});

test("once the shared database is back, the next search says so, and it gets what waits", async () => {
  await warm();
  fault = { query: "fail", put: "fail" };
  ok(await alice.put("/v1/contexts/task/waits", { parent: "b", data: { text: "a dikdik waits" } }));
  await sleep(8000); // The delivery has failed a few times, and waits longer and longer.
  await worker.evict("alice");
  assert.equal((await text("dikdik")).degraded, true);
  fault = fine();
  await sleep(1100); // One search a second asks again.
  const back = await text("dikdik");
  assert.equal(back.degraded, undefined);
  assert.deepEqual(ids(back), ["waits"]);
  const lag = async () =>
    Number(/index-lag;desc="(\d+)"/.exec((await alice.get("/v1/search?q=dikdik")).headers.get("server-timing"))[1]);
  for (let left = 100; (await lag()) > 0; left--) {
    assert.ok(left > 0, "it is not delivered");
    await sleep(100);
  }
});

test("a token that is revoked while its search waits is not answered", async () => {
  const leaver = worker.api("alice", { ...SCOPE, jti: "leaver" });
  assert.equal((await search({ q: "pool7", mode: "text" }, leaver)).items.length, 10);
  fault.query = "late";
  await worker.evict("alice");
  const waiting = leaver.post("/v1/search", { q: "pool7", mode: "text" });
  await sleep(1000);
  ok(await alice.put("/v1/revocations/tokens/leaver"));
  const { status, body } = await waiting;
  assert.deepEqual([status, body.code], [401, "unauthenticated"]);
});
