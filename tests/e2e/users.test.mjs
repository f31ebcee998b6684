// Users do not see each other: not their contexts, not whether they exist, and nobody is somebody
// else by saying so.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { withDatabases } from "./databases.mjs";
import { client, start, token } from "./harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const PROJECT = "/v1/contexts/project/p";
const ALICE = { "nacre-owner": "alice" };

let worker, alice, bob, eve, persist;
before(async () => {
  persist = mkdtempSync(join(tmpdir(), "nacre-users-"));
  worker = await start({ persist });
  [alice, bob, eve] = ["alice", "bob", "eve"].map((user) => worker.api(user));
  for (const [path, body] of [
    ["/v1/contexts/global/global", { data: { g: 1 } }],
    [PROJECT, { data: { secret_plan: "of alice", p: 1 } }],
    ["/v1/contexts/branch/b", { data: { b: 1 }, parent: "p" }],
    ["/v1/contexts/project/private", { data: { x: 1 } }],
  ]) {
    assert.equal((await alice.put(path, body)).status, 201);
  }
});
after(async () => {
  await worker?.stop();
  rmSync(persist, { recursive: true, force: true });
});

/** The parts of an answer that could tell two situations apart. */
function told({ status, headers, text }) {
  const kept = [...headers].filter(([name]) => !["x-request-id", "date"].includes(name));
  return { status, headers: kept, text };
}

const REQUESTS = [
  (api, owner) => api.get(PROJECT, owner),
  (api, owner) => api.get("/v1/contexts/project/missing", owner),
  (api, owner) => api.get(`${PROJECT}/resolved`, owner),
  (api, owner) => api.get(`${PROJECT}/history`, owner),
  (api, owner) => api.get("/v1/contexts", owner),
  (api, owner) => api.get("/v1/export", owner),
  (api, owner) => api.get("/v1/audit", owner),
  (api, owner) => api.get("/v1/members", owner),
  (api, owner) => api.put(PROJECT, { data: {} }, owner),
  (api, owner) => api.patch(PROJECT, { p: 2 }, { ...MERGE, ...owner }),
  (api, owner) => api.patch(PROJECT, { p: 2 }, { ...MERGE, ...owner, "idempotency-key": "k" }),
  (api, owner) => api.delete(PROJECT, owner),
  (api, owner) => api.post(`${PROJECT}/insights`, { content: "i" }, owner),
  (api, owner) => api.post("/v1/batch", { operations: [{ action: "get", level: "project", context_id: "p" }] }, owner),
  (api, owner) => api.post("/v1/import", "", { ...owner, "content-type": "application/x-ndjson" }),
  (api, owner) => api.put("/v1/members/eve", { project: "p", role: "writer" }, owner),
];

test("a store that is not shared looks like one that does not exist, and none comes to be", async () => {
  for (const request of REQUESTS) {
    const foreign = await request(eve, ALICE);
    const nobodys = await request(eve, { "nacre-owner": "nobody" });
    assert.ok([403, 404].includes(foreign.status), `${request}: ${foreign.status} ${foreign.text}`);
    assert.deepEqual(told(foreign), told(nobodys), `${request}`);
    assert.ok(!foreign.text.includes("alice"), foreign.text);
  }
  const { body } = await alice.get(PROJECT);
  assert.equal(body.version, 1);
});

test("a user's own store is empty and theirs, whatever others have under the same ids", async () => {
  assert.equal((await eve.get(PROJECT)).status, 404);
  assert.equal((await eve.put(PROJECT, { data: { of: "eve" } })).status, 201);
  assert.deepEqual((await eve.get(PROJECT)).body.data, { of: "eve" });
  assert.equal((await alice.get(PROJECT)).body.data.of, undefined);
});

test("a member sees the shared project and nothing beside it", async () => {
  await alice.put("/v1/members/bob", { project: "p", role: "reader" });
  assert.equal((await bob.get(PROJECT, ALICE)).status, 200);
  assert.equal((await bob.get("/v1/contexts/branch/b/resolved", ALICE)).body.data.b, 1);
  assert.equal((await bob.get("/v1/contexts/project/private", ALICE)).status, 404);
  const { body } = await bob.get("/v1/contexts", ALICE);
  assert.ok(
    body.items.every(({ id }) => id !== "private"),
    JSON.stringify(body.items),
  );
  assert.ok((await bob.patch(PROJECT, { p: 3 }, { ...MERGE, ...ALICE })).status >= 403);
  await alice.put("/v1/members/bob", { project: "p", role: "writer" });
  const written = await bob.patch(PROJECT, { p: 3 }, { ...MERGE, ...ALICE });
  assert.deepEqual([written.status, written.body.updated_by], [200, "bob"]);
});

test("identity comes from the token, whatever headers say", async () => {
  const claims = [
    { "nacre-user": "alice" },
    { "nacre-user": "alice", "nacre-scopes": "admin secrets:reveal contexts:read contexts:write" },
    { "Nacre-User": "alice", "Nacre-Owner": "alice", "Nacre-Scopes": "admin" },
  ];
  for (const headers of claims) {
    const answer = await worker.api("mallory").get(PROJECT, headers);
    assert.equal(answer.status, 404, answer.text);
  }
  const reader = worker.api("alice", { scope: "contexts:read" });
  const refused = await reader.patch(PROJECT, { p: 9 }, { ...MERGE, "nacre-scopes": "contexts:write admin" });
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get("www-authenticate"), /insufficient_scope/);
});

test("without a token that holds nobody comes in", async () => {
  const now = Math.floor(Date.now() / 1000);
  const tokens = {
    none: undefined,
    unsigned: `${token({ sub: "alice" }, worker.secret, { alg: "none" }).split(".").slice(0, 2).join(".")}.`,
    "another secret": token({ sub: "alice" }, "another secret that is long enough to be one"),
    expired: token({ sub: "alice", exp: now - 3600 }, worker.secret),
    "without expiry": token({ sub: "alice", exp: undefined }, worker.secret),
    "without subject": token({ sub: undefined }, worker.secret),
    "another algorithm": token({ sub: "alice" }, worker.secret, { alg: "HS512" }),
  };
  for (const [what, bearer] of Object.entries(tokens)) {
    const answer = await client(worker.url, bearer).get(PROJECT);
    assert.equal(answer.status, 401, `${what}: ${answer.text}`);
    assert.match(answer.headers.get("www-authenticate"), /^Bearer/);
    assert.equal(answer.body.code, "unauthenticated");
  }
});

test("names with any characters have stores of their own", async () => {
  const names = ["a b", "a%20b", "ä", "用户", "a/b", "a?b#c", "alice ", "x".repeat(256)];
  for (const name of names) {
    const api = worker.api(name);
    assert.equal((await api.get(PROJECT)).status, 404, name);
    const put = await api.put(PROJECT, { data: { name } });
    assert.deepEqual([put.status, put.body.updated_by], [201, name], put.text);
  }
  for (const name of names) {
    assert.equal((await worker.api(name).get(PROJECT)).body.data.name, name);
  }
});

test("a path that does not have the method says so to strangers too", async () => {
  for (const path of ["/v1/promotions", PROJECT, "/v1/templates/own"]) {
    const answer = await fetch(new URL(path, worker.url), {
      method: path === PROJECT ? "POST" : "PATCH",
      headers: { authorization: `Bearer ${eve.bearer}`, ...ALICE },
    });
    assert.equal(answer.status, 405, path);
    assert.match(answer.headers.get("allow"), /GET/, path);
  }
});

test("asking for what is not there has left no tables behind", async () => {
  await worker.stop();
  const owners = [];
  withDatabases(persist, (_, owner) => owners.push(owner));
  for (const name of ["nobody", "mallory", "bob"]) assert.ok(!owners.includes(name), name);
  assert.ok(owners.includes("alice") && owners.includes("eve"));
  worker = undefined;
});
