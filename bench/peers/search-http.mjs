// Searches over HTTP, and a bare Worker beside it that asks one FTS5 query of the same D1.
//
// The first line on stdin has the documents and the queries; the answer is how many documents there
// are. Each further line is a request to this program: a contestant's name for a turn, or a step.
// The answer is a number: of a turn nanoseconds for one item, the median of the turn's.

import assert from "node:assert/strict";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { root, token } from "../../tests/e2e/harness.mjs";
import { startBesideBare } from "./bare.mjs";
import { agent, ask, median } from "./request.mjs";

const TURN = 20; // searches in a turn
const COLD_TURN = 3;
const PATCHES = 50; // in a turn
const INSERTED_AT_ONCE = 500;

// The models come from the disk, without the page's router in front.
const models = { disk: { path: join(root, "dist/web"), writable: false } };
const worker = await startBesideBare(
  { d1Databases: { SEARCH: { id: "SEARCH" } } }, // the Worker's own
  { serviceBindings: { ASSETS: models } },
);
const [own, bare] = worker.urls;
const claims = { sub: "alice", scope: "contexts:read contexts:write admin" };
const headers = { authorization: `Bearer ${token(claims, worker.secret)}` };

/** One request, which must be granted. */
const send = (method, url, more, body) => ask(method, url, { ...headers, ...more }, body);

const json = { "content-type": "application/json" };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { documents, queries } = JSON.parse((await lines.next()).value);
const name = (n) => `t${String(n).padStart(5, "0")}`;

/** Makes the layers above the tasks, and one task to change. */
async function found() {
  const rows = [
    ["project/p", { data: { title: "Collections" } }],
    ["branch/b", { parent: "p", data: {} }],
    ["task/edited", { parent: "b", data: documents[0] }],
  ];
  for (const [path, body] of rows) {
    await send("PUT", `${own}/v1/contexts/${path}`, json, JSON.stringify(body));
  }
}

/** Imports all documents, and writes them to the bare Worker's table. */
async function fill() {
  const line = (data, n) => JSON.stringify({ level: "task", id: name(n), parent: "b", data });
  const body = documents.map(line).join("\n");
  await send("POST", `${own}/v1/import?mode=replace`, { "content-type": "application/x-ndjson" }, body);
  const d1 = await worker.searchDatabase();
  await d1.prepare("CREATE VIRTUAL TABLE bare USING fts5(id UNINDEXED, title, text, tokenize='porter')").run();
  const insert = d1.prepare("INSERT INTO bare SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)");
  for (let at = 0; at < documents.length; at += INSERTED_AT_ONCE) {
    const part = documents.slice(at, at + INSERTED_AT_ONCE);
    const rows = part.map(({ title, text }, n) => [name(at + n), title, text]);
    await insert.bind(JSON.stringify(rows)).run();
  }
}

/** Waits until all documents are indexed; how many seconds that took. */
async function indexed() {
  const begun = performance.now();
  for (;;) {
    const { documents: there, done, of } = JSON.parse((await send("GET", `${own}/v1/admin/reindex`)).text);
    if (done === of && there >= documents.length) return (performance.now() - begun) / 1000;
    await sleep(100);
  }
}

async function reindex() {
  await send("POST", `${own}/v1/admin/reindex`);
  return indexed();
}

/** Whether the document of a task has its meaning. */
async function isEncoded(n) {
  const asked = { q: queries[0], mode: "semantic", under: { level: "task", id: name(n) }, limit: 1 };
  const { items } = JSON.parse((await send("POST", `${own}/v1/search`, json, JSON.stringify(asked))).text);
  return items.length > 0 && items[0].reasons.near !== null;
}

/** How many are encoded: it goes by their ids. */
async function encoded() {
  let [low, high] = [0, documents.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await isEncoded(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Waits until all are encoded, or for so many seconds; how many are. */
async function encode(seconds) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    await sleep(Math.max(0, Math.min(30_000, end - performance.now())));
    const count = await encoded();
    if (count === documents.length || performance.now() >= end) return count;
  }
}

let asked = 0;
async function turn(count, request) {
  const times = [];
  for (let n = 0; n < count; n++)
    times.push((await request(encodeURIComponent(queries[asked++ % queries.length]))).nanos);
  return median(times);
}

let edits = 0;
const steps = {
  found,
  fill,
  indexed,
  reindex,
  encode,
  encoded,
  bare: () => turn(TURN, (q) => send("GET", `${bare}/search?q=${q}`)),
  text: () => turn(TURN, (q) => send("GET", `${own}/v1/search?mode=text&q=${q}`)),
  hybrid: () => turn(TURN, (q) => send("GET", `${own}/v1/search?q=${q}`)),
  cold: () =>
    turn(COLD_TURN, async (q) => {
      await worker.evict("alice");
      const answer = await send("GET", `${own}/v1/search?mode=text&q=${q}`);
      assert.ok(!JSON.parse(answer.text).degraded, "the shared database answers");
      return answer;
    }),
  patch: () =>
    turn(PATCHES, () => {
      const body = JSON.stringify({ note: `seen ${++edits} times` });
      const type = { "content-type": "application/merge-patch+json" };
      return send("PATCH", `${own}/v1/contexts/task/edited`, type, body);
    }),
};

console.log(documents.length);
for await (const line of lines) {
  const [step, argument] = line.split(" ");
  console.log((await steps[step](Number(argument))) ?? 0);
}
agent.destroy();
await worker.stop();
