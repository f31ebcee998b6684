// Promotions and templates on a real workerd: live deltas, restarts, concurrent approvals, erase.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";
import { Line } from "./line.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const ok = (answer) => {
  assert.ok(answer.status < 300, answer.text);
  return answer;
};

/** A chain of this user whose task has found something. */
async function plant(user) {
  const api = worker.api(user, { scope: "contexts:read contexts:write admin" });
  ok(await api.put("/v1/contexts/global/global", { data: {} }));
  ok(await api.put("/v1/contexts/project/p", { data: { cache: { size: 1 } } }));
  ok(await api.put("/v1/contexts/branch/b", { parent: "p", data: {} }));
  ok(await api.put("/v1/contexts/task/t", { parent: "b", data: { cache: { ttl: 60 } } }));
  ok(await api.put("/v1/contexts/task/u", { parent: "b", data: {} }));
  return api;
}

const PROPOSAL = { from: { level: "task", id: "t" }, pointer: "/cache/ttl", to: { level: "project", id: "p" } };

test("an approval is one commit, and followers hear only of views that change", async () => {
  const api = await plant("ann");
  const { body } = await api.post("/v1/promotions", PROPOSAL);
  const line = await Line.open(worker, "ann");
  const follow = (id, topic) => line.ask({ type: "subscribe", id, topic });
  await follow("own", { resolved: { level: "task", id: "t" } });
  await follow("other", { resolved: { level: "task", id: "u" } });
  await follow("layer", { context: { level: "task", id: "t" } });
  const approved = ok(await api.post(`/v1/promotions/${body.id}/approve`));
  const told = await line.take(2);
  const seq = approved.body.decided.seq;
  assert.deepEqual(told.map(({ id, seq }) => [id, seq]).sort(), [
    ["layer", seq],
    ["other", seq],
  ]);
  assert.deepEqual(told.find(({ id }) => id === "other").patch, { cache: { ttl: 60 } });
  ok(await api.post(`/v1/promotions/${body.id}/undo`));
  const [one, two] = await line.take(2);
  const delta = [one, two].find(({ id }) => id === "other");
  assert.deepEqual(delta.patch, { cache: { ttl: null } });
  line.close();
});

test("of many approvals at once one moves the value, and all answer alike", async () => {
  const api = await plant("bea");
  const { body } = ok(await api.post("/v1/promotions", PROPOSAL));
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.post(`/v1/promotions/${body.id}/approve`)));
  const seqs = new Set(answers.map((answer) => ok(answer).body.decided.seq));
  assert.equal(seqs.size, 1);
  assert.equal((await api.get("/v1/contexts/project/p")).body.version, 2);
  assert.equal((await api.get("/v1/contexts/task/t")).body.version, 2);
});

test("promotions and templates survive a restart and a rotation of keys, and go with the store", async () => {
  const api = await plant("cat");
  const { body } = ok(await api.post("/v1/promotions", PROPOSAL));
  ok(await api.put("/v1/templates/own", { layers: { task: { data: { from: "own" } } } }));
  ok(await api.post("/v1/keys/rotate"));
  while (ok(await api.get("/v1/keys")).body.rotating);
  await worker.restart();
  ok(await api.patch("/v1/contexts/task/t", { cache: { ttl: 90 } }, MERGE));
  const [listed] = ok(await api.get("/v1/promotions")).body.items;
  assert.deepEqual([listed.id, listed.state], [body.id, "stale"]);
  const refused = await api.post(`/v1/promotions/${body.id}/approve`);
  assert.deepEqual([refused.status, refused.body.code], [412, "version-conflict"]);
  const made = ok(await api.post("/v1/templates/own/create", { level: "task", context_id: "v", parent: "b" }));
  assert.deepEqual([made.status, made.body.data], [201, { from: "own" }]);
  const used = ok(await api.get("/v1/usage")).body.quotas.stored_bytes.used;

  ok(await api.delete("/v1/store", { "nacre-confirm": "erase" }));
  assert.deepEqual(ok(await api.get("/v1/promotions")).body.items, []);
  assert.equal((await api.get("/v1/templates/own")).status, 404);
  assert.ok(used > 0);
});

test("every preset begins a project, a branch and a task that resolve together", async () => {
  const api = worker.api("dan");
  const values = { name: "n", owner: "o", bundle_id: "com.example.n", target: 0.9, purpose: "why", goal: "what" };
  for (const { name } of ok(await api.get("/v1/templates")).body.items) {
    const known = Object.keys(ok(await api.get(`/v1/templates/${name}`)).body.variables);
    const variables = Object.fromEntries(Object.entries(values).filter(([key]) => known.includes(key)));
    const id = name.replaceAll("_", "-");
    for (const [level, parent] of [["project"], ["branch", id], ["task", id]])
      ok(await api.post(`/v1/templates/${name}/create`, { level, context_id: id, parent, variables }));
    const { data } = ok(await api.get(`/v1/contexts/task/${id}/resolved`)).body;
    assert.deepEqual([data.name, data.purpose, data.goal], ["n", "why", "what"]);
  }
});
