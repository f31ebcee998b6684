// Requests to the Worker and to the bare one beside it, in the same workerd, over one connection
// that is kept alive.
//
// The first line on stdin says which contexts to store. Each further line names a contestant, who
// then takes a turn; the answer is nanoseconds for one item, the median of the turn's.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";

import { token } from "../../tests/e2e/harness.mjs";
import { startBesideBare } from "./bare.mjs";
import { agent, median, send } from "./request.mjs";

const REQUESTS = 100; // in a turn

const worker = await startBesideBare();

/** The median time of a turn of the same request, each checked for its status. */
async function turn(status, request) {
  const times = [];
  for (let n = 0; n < REQUESTS; n++) {
    const answer = await request(n);
    assert.equal(answer.status, status, answer.text);
    times.push(answer.nanos);
  }
  return median(times);
}

const [own, bare] = worker.urls;
const as = (user) => ({ authorization: `Bearer ${token({ sub: user }, worker.secret)}` });
const json = { "content-type": "application/json" };
const patch = { "content-type": "application/merge-patch+json" };
const length = (answer) => Buffer.byteLength(answer.text);
let edits = 0;

async function store(user, contexts) {
  for (const { level, id, parent, data } of contexts) {
    const body = JSON.stringify({ data, ...(parent && { parent }) });
    const answer = await send("PUT", `${own}/v1/contexts/${level}/${id}`, { ...as(user), ...json }, body);
    assert.equal(answer.status, 201, answer.text);
  }
  const { level, id } = contexts.at(-1);
  return `${own}/v1/contexts/${level}/${id}`;
}

const contestants = { empty: () => turn(200, () => send("GET", `${bare}/empty`)) };
const sizes = {};
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const given = JSON.parse((await lines.next()).value);

for (const { name, contexts } of given.views) {
  const headers = as(`reader-${name}`);
  const url = `${await store(`reader-${name}`, contexts)}/resolved`;
  const first = await send("GET", url, headers);
  assert.equal(first.status, 200);
  sizes[name] = length(first);
  const same = { ...headers, "if-none-match": first.headers.etag };
  contestants[`get ${name}`] = () => turn(200, () => send("GET", url, headers));
  contestants[`304 ${name}`] = () => turn(304, () => send("GET", url, same));
  contestants[`bytes ${name}`] = () => turn(200, () => send("GET", `${bare}/bytes/${sizes[name]}`));
}

{
  const url = await store("writer", given.edited);
  const headers = { ...as("writer"), ...patch };
  const edit = () => JSON.stringify({ note: `seen ${++edits} times` });
  const first = await send("PATCH", url, headers, edit());
  assert.equal(first.status, 200);
  sizes.patch = length(first);
  contestants.patch = () => turn(200, () => send("PATCH", url, headers, edit()));
  contestants.insert = () => turn(200, () => send("PATCH", `${bare}/insert/${sizes.patch}`, patch, edit()));
}

{
  await store("batcher", given.batch);
  const headers = { ...as("batcher"), ...json };
  const tasks = given.batch.filter(({ level }) => level === "task");
  sizes.batch = tasks.length;
  contestants.batch = async () => {
    const operations = tasks.map(({ id }) => ({
      action: "update",
      level: "task",
      context_id: id,
      patch: { note: `seen ${++edits} times` },
    }));
    const body = JSON.stringify({ transaction: true, operations });
    const answer = await send("POST", `${own}/v1/batch`, headers, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.nanos;
  };
  contestants.singles = async () => {
    const start = process.hrtime.bigint();
    for (const { id } of tasks) {
      const url = `${own}/v1/contexts/task/${id}`;
      const body = JSON.stringify({ note: `seen ${++edits} times` });
      const answer = await send("PATCH", url, { ...headers, ...patch }, body);
      assert.equal(answer.status, 200);
    }
    return Number(process.hrtime.bigint() - start);
  };
}

console.log(JSON.stringify(sizes));
for await (const line of lines) console.log(await contestants[line]());
agent.destroy();
await worker.stop();
