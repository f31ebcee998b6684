// What each operation costs in SQL rows, as Server-Timing says: rows are what a deployment pays for.
// A number here that has to grow is a decision, not a detail.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const LINES = { "content-type": "application/x-ndjson" };
const PROJECT = "/v1/contexts/project/p";
const BRANCH = "/v1/contexts/branch/b";
const TASK = "/v1/contexts/task/t";
const MANY = 100;

let worker, api, bob, promotion;
before(async () => {
  worker = await start();
  api = worker.api("alice", { scope: "contexts:read contexts:write secrets:reveal admin" });
  bob = worker.api("bob");
});
after(() => worker?.stop());

const cold = () => worker.evict("alice");
const many = (make) => Array.from({ length: MANY }, (_, n) => make(n));
const ofAlice = { "nacre-owner": "alice" };
const etag = async (path) => ({ "if-none-match": (await api.get(path)).headers.get("etag") });

/**
 * `[what, request, rows read at most, rows written exactly, cache]`, each after the ones before.
 *
 * A commit writes a line of the audit trail; a change to a context its row, a version and a row of the
 * outbox; an entry its row and a row of the outbox; a context
 * that comes, goes or moves one row of an index for each place it leaves or takes. The metadata is
 * written when the alarm moves. A reveal writes its line of the audit trail. A guest is not told the
 * rows written.
 */
const BUDGET = [
  ["the first write makes the tables", () => api.put("/v1/contexts/global/global", { data: { a: 1 } }), 17, 30],
  ["create", () => api.put(PROJECT, { data: { b: 1 } }), 2, 5],
  ["create a branch", () => api.put(BRANCH, { data: { b: 1 }, parent: "p" }), 2, 5],
  ["create a task", () => api.put(TASK, { data: { c: 1 }, parent: "b" }), 2, 5],
  [
    "create with a missing parent",
    () => api.put("/v1/contexts/branch/b9?create_parents=true", { data: {}, parent: "p9" }),
    2,
    9,
  ],
  ["replace", () => api.put(TASK, { data: { c: 2 } }), 3, 5],
  ["replace by the same", () => api.put(TASK, { data: { c: 2 } }), 0, 0],
  ["merge patch", () => api.patch(TASK, { d: 2 }, MERGE), 2, 4],
  ["merge patch with a key", () => api.patch(TASK, { d: 3 }, { ...MERGE, "idempotency-key": "k" }), 3, 6],
  ["the same key again", () => api.patch(TASK, { d: 3 }, { ...MERGE, "idempotency-key": "k" }), 1, 0],
  ["JSON Patch", () => api.patch(TASK, [{ op: "add", path: "/x", value: 1 }], JSON_PATCH), 2, 4],
  ["a new secret", () => api.patch(TASK, { token: "s" }, MERGE), 2, 5],
  ["the same secret elsewhere", () => api.patch(PROJECT, { token: "s" }, MERGE), 3, 4],
  ["unset", () => api.post(`${TASK}/unset`, { pointers: ["/x"] }), 3, 4],
  ["append", () => api.post(`${TASK}/append`, { pointer: "/l", values: [1, 2] }), 3, 4],
  ["insight", () => api.post(`${TASK}/insights`, { content: "i" }), 2, 3],
  ["progress", () => api.post(`${TASK}/progress`, { content: "p" }), 2, 3],
  ["rollback", () => api.post(`${TASK}/rollback`, { version: 2 }), 11, 4],
  ["another branch", () => api.put("/v1/contexts/branch/b2", { data: {}, parent: "p" }), 2, 5],
  ["move", () => api.post(`${TASK}/move`, { parent: "b2" }), 2, 5],
  ["share", () => api.put("/v1/members/bob", { project: "p", role: "reader" }), 2, 2],
  ["a stale version is refused", () => api.patch(TASK, { d: 2 }, { ...MERGE, "if-match": '"v9"' }), 20, 0],
  ["delete", () => api.delete(TASK), 2, 5],
  ["restore", () => api.post(`${TASK}/restore`), 3, 5],
  ["a delete that would orphan is refused", () => api.delete(PROJECT), 3, 0],
  ["delete four", () => api.delete(`${PROJECT}?cascade=true`), 15, 17],
  ["restore four", () => api.post(`${PROJECT}/restore`), 7, 17],
  [
    "batch, 100 new",
    () =>
      api.post("/v1/batch", {
        operations: many((n) => ({ action: "create", level: "task", context_id: `n${n}`, parent: "b", data: { n } })),
      }),
    2,
    401,
  ],
  [
    "batch, 100 changed",
    () =>
      api.post("/v1/batch", {
        operations: many((n) => ({ action: "update", level: "task", context_id: `n${n}`, patch: { m: n } })),
      }),
    2,
    301,
  ],
  [
    "import, 100 lines",
    () =>
      api.post(
        "/v1/import",
        many((n) => JSON.stringify({ level: "task", id: `m${n}`, parent: "b", data: { n } })).join("\n"),
        LINES,
      ),
    2,
    401,
  ],

  ["get, cold", () => api.get(TASK), 3, 0, undefined, cold],
  ["get, warm", () => api.get(TASK), 0, 0],
  ["resolve four layers, cold", () => api.get(`${TASK}/resolved`), 6, 0, "miss", cold],
  ["resolve, warm", () => api.get(`${TASK}/resolved`), 0, 0, "hit"],
  ["resolve, the client has it", async () => api.get(`${TASK}/resolved`, await etag(`${TASK}/resolved`)), 0, 0, "hit"],
  ["resolve a path", () => api.get(`${TASK}/resolved?path=/c`), 0, 0, "hit"],
  ["resolve and explain", () => api.get(`${TASK}/resolved?explain=true`), 0, 0, "hit"],
  // The first write after a wake-up, a line in the audit trail, also reads what the store holds.
  ["resolve and reveal a secret", () => api.get(`${TASK}/resolved?reveal=true`), 3, 1, "hit"],
  ["a write above that is shadowed", () => api.patch("/v1/contexts/global/global", { b: 9 }, MERGE), 2, 4],
  ["resolve, kept", () => api.get(`${TASK}/resolved`), 0, 0, "hit"],
  ["a write above that shows", () => api.patch("/v1/contexts/global/global", { z: 9 }, MERGE), 2, 4],
  ["resolve, made anew", () => api.get(`${TASK}/resolved`), 0, 0, "miss"],
  ["resolve the past", () => api.get(`${TASK}/resolved?at=8`), 50, 0],
  ["what changed in the view", () => api.get(`${TASK}/resolved/diff?from=8`), 50, 0],
  ["history, a page of ten", () => api.get(`${TASK}/history?limit=10`), 14, 0],
  ["diff of versions", () => api.get(`${TASK}/diff?from=2`), 16, 0],
  ["get a version", () => api.get(`${TASK}?version=2`), 16, 0],
  ["insights", () => api.get(`${TASK}/insights`), 3, 0],
  ["list 50 of 208", () => api.get("/v1/contexts?limit=50"), 60, 0],
  ["list a prefix", () => api.get("/v1/contexts?level=task&prefix=m9&limit=50"), 12, 0],
  ["list children", () => api.get("/v1/contexts?parent=b&limit=10"), 16, 0],
  ["list a subtree", () => api.get("/v1/contexts?under=branch/b&limit=10"), 12, 0],
  ["list tasks of a project", () => api.get("/v1/contexts?under=project/p&level=task&limit=10"), 60, 0],
  ["audit, a page of ten", () => api.get("/v1/audit?limit=10"), 11, 0],
  ["members", () => api.get("/v1/members"), 1, 0],
  [
    "propose a promotion, the first",
    async () => {
      const made = await api.post("/v1/promotions", {
        from: { level: "branch", id: "b" },
        pointer: "/b",
        to: { level: "global", id: "global" },
      });
      promotion = made.body.id;
      return made;
    },
    230,
    6,
  ],
  ["approve it", () => api.post(`/v1/promotions/${promotion}/approve`), 4, 8],
  ["undo it", () => api.post(`/v1/promotions/${promotion}/undo`), 8, 8],
  ["promotions", () => api.get("/v1/promotions"), 2, 0],
  ["promotions that wait", () => api.get("/v1/promotions?state=proposed"), 2, 0],
  ["templates", () => api.get("/v1/templates"), 2, 0],
  ["a template", () => api.put("/v1/templates/own", { layers: { task: { data: { a: 1 } } } }), 3, 2],
  [
    "create from a template",
    () => api.post("/v1/templates/own/create", { level: "task", context_id: "own", parent: "b" }),
    3,
    5,
  ],

  ["preview over 201 views", () => api.post(`${BRANCH}/preview`, { patch: { y: 1 } }), 450, 0],

  ["a guest, cold", () => bob.get(`${TASK}/resolved`, ofAlice), 7, undefined, "miss", cold],
  ["a guest, warm", () => bob.get(`${TASK}/resolved`, ofAlice), 0, undefined, "hit"],
];

/** What Server-Timing says: `{read, written, cache}`. */
function cost({ headers }) {
  const timing = headers.get("server-timing");
  const value = (name) => new RegExp(`${name};desc="(\\w+)"`).exec(timing)?.[1];
  const written = value("rows-written");
  return {
    read: Number(value("rows-read")),
    written: written && Number(written),
    cache: value("cache"),
  };
}

test("no operation costs more rows than its budget", async () => {
  const table = [];
  const wrong = [];
  for (const [what, request, read, written, cache, first] of BUDGET) {
    await first?.();
    const answer = await request();
    const spent = cost(answer);
    table.push({ what, status: answer.status, ...spent });
    const refused = /refused/.test(what);
    const held =
      spent.read <= read && spent.written === written && spent.cache === cache && answer.status < 400 !== refused;
    if (!held)
      wrong.push({ what, status: answer.status, spent, read, written, cache, text: answer.text.slice(0, 200) });
  }
  console.table(table);
  assert.deepEqual(wrong, []);
});
