// Writers at the same time: of two on one version exactly one wins, a key counts once however often
// and however quickly it is used, appends never lose each other.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../harness.mjs";

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const MERGE = { "content-type": "application/merge-patch+json" };

test("of writers on one version exactly one wins, the others are told the version", async () => {
  const api = worker.api("alice");
  const path = "/v1/contexts/project/race";
  let { body } = await api.put(path, { data: { n: "start" } });
  for (let round = 0; round < 40; round++) {
    const guard = { "if-match": `"v${body.version}"` };
    const patch = (writer) => api.patch(path, { n: `${round}.${writer}` }, { ...MERGE, ...guard });
    const answers = await Promise.all([
      patch(0),
      patch(1),
      api.put(path, { data: { n: `${round}.2` } }, guard),
      api.post(`${path}/append`, { pointer: "/list", values: [round] }, guard),
    ]);
    const won = answers.filter(({ status }) => status === 200);
    const lost = answers.filter(({ status }) => status === 412);
    assert.deepEqual([won.length, lost.length], [1, 3], answers.map(({ text }) => text).join("\n"));
    for (const { body: problem } of lost) {
      assert.equal(problem.code, "version-conflict");
      assert.equal(problem.current_version, body.version + 1);
    }
    assert.equal(won[0].body.version, body.version + 1);
    ({ body } = await api.get(path));
    assert.deepEqual(body.data, won[0].body.data);
    assert.equal(body.version, won[0].body.version);
  }
});

test("of creators of one context exactly one wins", async () => {
  const api = worker.api("alice");
  for (let round = 0; round < 20; round++) {
    const path = `/v1/contexts/project/new${round}`;
    const create = (n) => api.put(path, { data: { n } }, { "if-none-match": "*" });
    const answers = await Promise.all([create(0), create(1), create(2)]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 412, 412]);
    const won = answers.find(({ status }) => status === 201);
    assert.deepEqual((await api.get(path)).body.data, won.body.data);
  }
});

test("a conflict names the path and all three values", async () => {
  const api = worker.api("alice");
  const path = "/v1/contexts/project/conflict";
  await api.put(path, { data: { a: { b: 1, c: 1 } } });
  await api.patch(path, { a: { b: 2 } }, MERGE);
  const { status, body } = await api.patch(path, { a: { b: 3 } }, { ...MERGE, "if-match": '"v1"' });
  assert.equal(status, 412);
  assert.deepEqual(body.conflicts, [{ pointer: "/a/b", base: 1, current: 2, yours: 3 }]);
});

test("a conflict shows no secret", async () => {
  const api = worker.api("alice");
  const path = "/v1/contexts/project/secretive";
  await api.put(path, { data: { token: "first secret" } });
  await api.put(path, { data: { token: "second secret" } });
  const stale = await api.put(path, { data: { token: "third secret" } }, { "if-match": '"v1"' });
  assert.equal(stale.status, 412);
  assert.equal(stale.body.conflicts[0].pointer, "/token");
  assert.doesNotMatch(stale.text, /secret"/);
});

test("one key used many times at once counts once", async () => {
  const api = worker.api("bob");
  const path = "/v1/contexts/project/keyed";
  await api.put(path, { data: { list: [] } });
  for (let round = 0; round < 20; round++) {
    const append = () =>
      api.post(`${path}/append`, { pointer: "/list", values: [round] }, { "idempotency-key": `k${round}` });
    const answers = await Promise.all([append(), append(), append(), append()]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    const fresh = answers.filter(({ headers }) => !headers.has("idempotency-replayed"));
    assert.equal(fresh.length, 1);
  }
  const { body } = await api.get(path);
  assert.deepEqual(
    body.data.list,
    Array.from({ length: 20 }, (_, n) => n),
  );
});

test("a refused request does not use up its key", async () => {
  const api = worker.api("bob");
  const path = "/v1/contexts/branch/later";
  const put = () => api.put(path, { data: {}, parent: "unborn" }, { "idempotency-key": "early" });
  const refused = await put();
  assert.deepEqual([refused.status, refused.body.code], [404, "parent-not-found"]);
  await api.put("/v1/contexts/project/unborn", { data: {} });
  const { status, headers } = await put();
  assert.deepEqual([status, headers.has("idempotency-replayed")], [201, false]);
});

test("keys of two users do not meet", async () => {
  const put = (user, data) => worker.api(user).put("/v1/contexts/project/own", { data }, { "idempotency-key": "same" });
  assert.equal((await put("carol", { of: "carol" })).status, 201);
  const second = await put("dave", { of: "dave" });
  assert.deepEqual([second.status, second.body.data], [201, { of: "dave" }]);
});

test("appends at the same time are all there, each once", async () => {
  const path = "/v1/contexts/project/log";
  const api = worker.api("alice");
  await api.put(path, { data: {} });
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; n < 25; n++) {
      const values = [`${writer}.${n}`];
      const { status } = await api.post(`${path}/append`, { pointer: "/log", values });
      assert.equal(status, 200);
    }
  });
  await Promise.all(writers);
  const { body } = await api.get(path);
  assert.equal(body.data.log.length, 200);
  assert.equal(new Set(body.data.log).size, 200);
  for (let writer = 0; writer < 8; writer++) {
    const own = body.data.log.filter((entry) => entry.startsWith(`${writer}.`));
    assert.deepEqual(
      own,
      own.map((_, n) => `${writer}.${n}`),
    );
  }
});

test("a refused operation takes the whole batch with it", async () => {
  const api = worker.api("alice");
  const operation = (id, more) => ({ action: "create", level: "project", context_id: id, data: {}, ...more });
  const before = (await api.get("/v1/contexts?limit=1")).headers.get("nacre-seq");
  const { status, body, headers } = await api.post("/v1/batch", {
    operations: [operation("b1"), operation("b2"), operation("b1"), operation("b3")],
  });
  assert.deepEqual([status, body.code, body.failed_operation], [409, "already-exists", 2]);
  assert.equal(headers.get("nacre-seq"), before);
  for (const id of ["b1", "b2", "b3"]) {
    assert.equal((await api.get(`/v1/contexts/project/${id}`)).status, 404);
  }
});
