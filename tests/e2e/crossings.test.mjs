// How often a request crosses from the Worker's module into JavaScript. A view took 1.25 of the bare
// object's time with 63 crossings and a promise, and takes 1.05 with 9 (bench/results/http.md). So a
// number here that has to grow is a decision, as with rows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { start } from "./harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const PROJECT = "/v1/contexts/project/p";
const COUNTS = "/crossings";
const MANY = 100;

let worker, api;
before(async () => {
  worker = await start({ assets: false, rewrite: counted });
  api = worker.api("alice");
  await api.put(PROJECT, { data: { n: 0 } });
  await api.post("/v1/batch", {
    operations: many((id) => ({ action: "create", level: "branch", ...id, parent: "p" })),
  });
  await sleep(2000); // An alarm indexes all that, and no request pays for it.
});
after(() => worker?.stop());

/** The script, with each function that the module imports counted, and a path that tells the counts. */
function counted(script) {
  const count = `
globalThis.crossings = {};
const counting = (imports) => {
  for (const names of Object.values(imports))
    for (const [name, imported] of Object.entries(names))
      if (typeof imported === "function")
        names[name] = function (...given) {
          crossings[name] = (crossings[name] ?? 0) + 1;
          return imported.apply(this, given);
        };
  return imports;
};
const told = (request) => {
  if (new URL(request.url).pathname !== "${COUNTS}") return;
  const counts = { ...crossings };
  for (const name in crossings) delete crossings[name];
  return Response.json(counts);
};`;
  const changes = [
    [/import\b[^;]*"cloudflare:workers";/, (found) => found + count],
    [/(new WebAssembly\.Instance\(\w+,)(\w+\(\))\)/g, "$1counting($2))"],
    [/(\.prototype\.fetch=function\((\w+)\)\{return )/, "$1told($2)||"],
  ];
  return changes.reduce((text, [from, to]) => {
    assert.match(text, from, "the script is built in another way: count in another way");
    return text.replace(from, to);
  }, script);
}

const many = (make) => Array.from({ length: MANY }, (_, n) => make({ context_id: `b${n}`, data: {} }));
let edits = 0;
const edit = () => ({ n: ++edits });

/** `[what, request, crossings at most]`: each is sent twice, and the second one counts. */
const BUDGET = [
  ["a view", () => api.get(`${PROJECT}/resolved`), 9],
  [
    "a view that the client has",
    async () => api.get(`${PROJECT}/resolved`, { "if-none-match": await etag(`${PROJECT}/resolved`) }),
    9,
  ],
  ["a merge patch", () => api.patch(PROJECT, edit(), MERGE), 28],
  ["a batch of 100 updates", () => api.post("/v1/batch", { transaction: true, operations: updates() }), 40],
];

const etag = async (path) => {
  const { headers } = await api.get(path);
  await crossings();
  return headers.get("etag");
};
const updates = () => many(({ context_id }) => ({ action: "update", level: "branch", context_id, patch: edit() }));
const crossings = async () => (await api.get(COUNTS)).body;

for (const [what, request, budget] of BUDGET) {
  test(what, async () => {
    await request();
    await crossings();
    const { status } = await request();
    assert.ok([200, 304].includes(status), `${status}`);
    const counts = Object.entries(await crossings()).sort(([, a], [, b]) => b - a);
    const sum = counts.reduce((sum, [, count]) => sum + count, 0);
    const listed = counts.map(([name, count]) => `${count} ${name}`).join("\n");
    assert.ok(sum > 0, "nothing was counted");
    assert.ok(sum <= budget, `${sum} crossings, ${budget} are allowed:\n${listed}`);
  });
}
