// Writes that expect another version: each kind is told where it meets what others wrote, and when a
// retry would go through.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const MERGE = { "content-type": "application/merge-patch+json" };
const STEPS = { "content-type": "application/json-patch+json" };
const DATA = { l: ["a", "b", "c"], m: 1 };

/** Each kind of write to one context, that sets what it is named for. */
function kinds(api, id) {
  const path = `/v1/contexts/project/${id}`;
  const on = { level: "project", context_id: id };
  const batched = (operation) => (version) =>
    api.post("/v1/batch", { operations: [{ ...on, ...operation, expect_version: version }] });
  const guard = (version) => ({ "if-match": `"v${version}"` });
  const step = (path, value) => [{ op: "replace", path, value }];
  return (pointer, value, whole) => ({
    put: (version) => api.put(path, { data: whole }, guard(version)),
    "merge patch": (version) => api.patch(path, { [pointer.slice(1)]: value }, { ...MERGE, ...guard(version) }),
    "JSON Patch": (version) => api.patch(path, step(pointer, value), { ...STEPS, ...guard(version) }),
    "put in a batch": batched({ action: "put", data: whole }),
    "merge patch in a batch": batched({ action: "update", patch: { [pointer.slice(1)]: value } }),
    "JSON Patch in a batch": batched({ action: "update", patch: step(pointer, value) }),
  });
}

async function refused(write, version, current) {
  const { status, body, text } = await write(version);
  assert.equal(status, 412, text);
  assert.deepEqual([body.code, body.current_version], ["version-conflict", current], text);
  assert.ok(body.detail.startsWith(`expected version ${version}; current is ${current}.`), text);
  return body;
}

/** A context at version 2, which removed the last item of a list. */
async function changed(sub, id = "p") {
  const api = worker.api(sub);
  const path = `/v1/contexts/project/${id}`;
  await api.put(path, { data: DATA });
  const { body } = await api.patch(path, [{ op: "remove", path: "/l/2" }], STEPS);
  assert.equal(body.version, 2);
  return api;
}

test("a list that both sides changed is in conflict as a whole, by every kind of write", async () => {
  const api = await changed("lists");
  const yours = ["x", "b", "c"];
  const [base, current] = [DATA.l, ["a", "b"]];
  const path = "/v1/contexts/project/p";
  const first = [{ op: "replace", path: "/l/0", value: "x" }];
  const problem = await refused((v) => api.patch(path, first, { ...STEPS, "if-match": `"v${v}"` }), 1, 2);
  assert.deepEqual(problem.conflicts, [{ pointer: "/l", base, yours, current }]);
  for (const [kind, write] of Object.entries(kinds(api, "p")("/l", yours, { ...DATA, l: yours }))) {
    const { conflicts } = await refused(write, 1, 2);
    assert.deepEqual(conflicts, [{ pointer: "/l", base, yours, current }], kind);
  }
  const guard = { "if-match": '"v1"' };
  const append = (version, values = ["d"]) =>
    api.post(`${path}/append`, { pointer: "/l", values }, { "if-match": `"v${version}"` });
  assert.deepEqual((await refused(append, 1, 2)).conflicts, [{ pointer: "/l", base, yours: [...base, "d"], current }]);
  const unset = () => api.post(`${path}/unset`, { pointers: ["/l"] }, guard);
  assert.deepEqual((await refused(unset, 1, 2)).conflicts, [{ pointer: "/l", base, yours: null, current }]);
  assert.deepEqual((await api.get(path)).body.data, { ...DATA, l: current }, "nothing was written");
});

test("changes that do not touch conflict nowhere, and the retry goes through", async () => {
  const api = await changed("apart");
  const writes = {
    ...kinds(api, "p")("/m", 2, { ...DATA, m: 2 }),
    append: (v) => api.post("/v1/contexts/project/p/append", { pointer: "/n", values: [1] }, { "if-match": `"v${v}"` }),
    unset: (v) => api.post("/v1/contexts/project/p/unset", { pointers: ["/m"] }, { "if-match": `"v${v}"` }),
  };
  for (const [kind, write] of Object.entries(writes)) {
    const { conflicts, detail } = await refused(write, 1, 2);
    assert.deepEqual(conflicts, [], kind);
    assert.match(detail, /a retry on version 2 would go through/, kind);
  }
  assert.equal((await writes["JSON Patch"](2)).body.data.m, 2);
});

test("under a keyed rule items conflict by their key, whoever set the rule", async () => {
  const api = worker.api("keyed");
  await api.put("/v1/contexts/global/global", { data: {}, rules: { "/l": "keyed:id" } });
  const path = "/v1/contexts/project/p";
  const list = (a, b) => [
    { id: "a", v: a },
    { id: "b", v: b },
  ];
  await api.put(path, { data: { l: list(1, 1) } });
  await api.patch(path, { l: list(2, 1) }, MERGE);
  const write = (value) => (v) => api.patch(path, { l: value }, { ...MERGE, "if-match": `"v${v}"` });
  assert.deepEqual((await refused(write(list(1, 2)), 1, 2)).conflicts, []);
  assert.deepEqual((await refused(write(list(3, 2)), 1, 2)).conflicts, [
    { pointer: "/l/0/v", base: 1, yours: 3, current: 2 },
  ]);
});

test("a version that does not exist is told so", async () => {
  const api = worker.api("never");
  await api.put("/v1/contexts/project/p", { data: { a: 1 } });
  const write = (v) => api.patch("/v1/contexts/project/p", { a: 2 }, { ...MERGE, "if-match": `"v${v}"` });
  const { detail } = await refused(write, 9, 1);
  assert.match(detail, /Version 9 does not exist/);
  assert.doesNotMatch(detail, /go through/);
});

test("sealed values show as markers on every side", async () => {
  const api = worker.api("sealed");
  const path = "/v1/contexts/project/p";
  await api.put(path, { data: { password: "first secret", keys: { api_key: "first secret" } } });
  await api.put(path, { data: { password: "second secret", keys: { api_key: "second secret" } } });
  for (const [kind, write] of Object.entries(
    kinds(api, "p")("/password", "third secret", { password: "third secret" }),
  )) {
    const { status, body, text } = await write(1);
    assert.equal(status, 412, kind);
    assert.doesNotMatch(text, /(first|second|third) secret/, kind);
    const conflict = body.conflicts.find(({ pointer }) => pointer === "/password");
    for (const side of ["base", "yours", "current"]) assert.ok(conflict[side].$sealed, `${kind}: ${side}`);
  }
});

test("in a batch that is no transaction each operation has its own conflicts", async () => {
  const api = await changed("batch");
  const on = { level: "project", context_id: "p", action: "update", expect_version: 1 };
  const { status, body } = await api.post("/v1/batch", {
    transaction: false,
    operations: [
      { ...on, patch: { l: [] } },
      { ...on, patch: { m: 2 } },
      { ...on, patch: { m: 2 }, expect_version: 2 },
    ],
  });
  assert.equal(status, 200);
  assert.deepEqual(
    body.results.map(({ status }) => status),
    [412, 412, 200],
  );
  assert.deepEqual(
    body.results.map(({ conflicts }) => conflicts),
    [[{ pointer: "/l", base: DATA.l, yours: [], current: ["a", "b"] }], [], undefined],
  );
});
