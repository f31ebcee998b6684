// The memory of workerd while each kind of request is made at its limits, one at a time and eight at
// once. The kernel notes the most that the process has held (VmHWM), and forgets it when asked to.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";

const MIB = 1 << 20;
/** By how many requests are made at once. An isolate has 128 MiB; eight at once should take 96 too. */
const MOST = { 1: 96 * MIB, 8: 128 * MIB };
const MERGE = { "content-type": "application/merge-patch+json" };

let worker, api;
before(async () => {
  worker = await start();
  api = worker.api("big");
});
after(() => worker?.stop());

const status = (name) => {
  const line = readFileSync(`/proc/${worker.pid()}/status`, "utf8").match(new RegExp(`${name}:\\s+(\\d+) kB`));
  return Number(line[1]) * 1024;
};
const forget = () => writeFileSync(`/proc/${worker.pid()}/clear_refs`, "5");

const numbers = (digit) => ({ list: Array(99_990).fill(digit) });
const full = (salt) =>
  Object.fromEntries(Array.from({ length: 90_000 }, (_, n) => [`k${String(n).padStart(5, "0")}`, salt]));
const CHAIN = [
  ["global/global", {}],
  ["project/p", {}],
  ["branch/b", { parent: "p" }],
  ["task/t", { parent: "b" }],
];
const path = (name) => `/v1/contexts/${name}`;

/** What is asked, and what it is answered with. */
const KINDS = [
  ["list 40 large contexts", () => api.get("/v1/contexts?limit=200"), 200],
  ["list them with data", () => api.get("/v1/contexts?limit=200&data=true"), 200],
  ["resolve four full layers", () => api.get(`${path("task/t")}/resolved`), 200],
  ["explain them", () => api.get(`${path("task/t")}/resolved?explain=true`), 413],
  ["preview a full layer", () => api.post(`${path("project/p")}/preview`, { patch: full(7) }), [200, 413]],
  ["replace a full layer", (n) => api.put(path("task/t"), { data: full(n % 10) }), 200],
  ["patch a full layer", (n) => api.patch(path("task/t"), { k00001: n }, MERGE), 200],
  ["history of full layers", () => api.get(`${path("task/t")}/history?limit=200`), 200],
  ["a batch at its size", (n) => api.post("/v1/batch", batch(n)), [200, 413]],
  ["a body of too many values", () => api.put(path("task/t"), `{"data":{"l":[0${",0".repeat(2_000_000)}]}}`), 413],
];

function batch(salt) {
  const operations = CHAIN.map(([name], n) => {
    const [level, context_id] = name.split("/");
    return { action: "update", level, context_id, patch: { text: `${salt + n}${"x".repeat(1_000_000)}` } };
  });
  return { transaction: false, operations: operations.slice(0, 3) };
}

test("no kind of request takes more than 96 MiB above an idle store, nor eight at once more than an isolate has", async () => {
  for (let n = 0; n < 40; n++) await api.put(path(`project/n${n}`), { data: numbers(n % 10) });
  for (const [name, more] of CHAIN) {
    const { status } = await api.put(path(name), { data: full(1), ...more });
    assert.equal(status, 201);
  }
  const table = [];
  for (const [what, ask, expected] of KINDS) {
    await worker.restart(); // memory of a module never shrinks
    await api.get(path("project/n0"));
    const idle = status("VmRSS");
    for (const count of [1, 8]) {
      forget();
      const answers = await Promise.all(Array.from({ length: count }, (_, n) => ask(n + 1)));
      const took = status("VmHWM") - idle;
      for (const answer of answers) {
        assert.ok([expected].flat().includes(answer.status), `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
      }
      table.push({ what, count, MiB: Math.round(took / MIB) });
    }
  }
  console.table(table);
  assert.deepEqual(
    table.filter(({ MiB, count }) => MiB * MIB > MOST[count]),
    [],
  );
});
