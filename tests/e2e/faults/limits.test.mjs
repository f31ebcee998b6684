// Every limit at its edge, where the request is taken, and one past it, where it is refused with the
// limit's own error, and nothing is stored.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { client, start, token } from "../harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const PATCH = { "content-type": "application/json-patch+json" };
const MEBIBYTE = 1 << 20;

let worker, api;
before(async () => {
  worker = await start();
  api = worker.api("alice");
});
after(() => worker?.stop());

/** Sends what is at the edge and what is one past it. */
async function edge(send, within, beyond, { code, limit, status = 413, pointer }) {
  const taken = await send(within);
  assert.ok(taken.status < 300, `at the edge: ${taken.status} ${taken.text.slice(0, 300)}`);
  const seq = taken.headers.get("nacre-seq");
  const refused = await send(beyond);
  assert.deepEqual([refused.status, refused.body?.code], [status, code], refused.text.slice(0, 300));
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  if (limit !== undefined) assert.equal(refused.body.limit, limit);
  if (pointer !== undefined) assert.equal(refused.body.pointer, pointer);
  const now = await api.get("/v1/contexts?limit=1");
  if (seq !== null) assert.equal(now.headers.get("nacre-seq"), seq, "nothing was stored");
  return taken;
}

const put = (data, more = {}, path = "/v1/contexts/project/p") => api.put(path, { data, ...more });

/** Data whose canonical text has so many bytes. */
const dataOf = (bytes) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });

/** Data of so many nested objects. */
const nested = (depth, inner = 1) => JSON.parse('{"a":'.repeat(depth) + JSON.stringify(inner) + "}".repeat(depth));

const listed = (depth) => "[".repeat(depth) + "]".repeat(depth);

test("an id of 128 characters", async () => {
  const create = (id) => put({}, {}, `/v1/contexts/project/${id}`);
  await edge(create, "i".repeat(128), "i".repeat(129), { status: 400, code: "invalid-id" });
  const inBatch = (id) =>
    api.post("/v1/batch", {
      operations: [{ action: "put", level: "project", context_id: id, data: {} }],
    });
  await edge(inBatch, "j".repeat(128), "j".repeat(129), { status: 400, code: "invalid-id" });
});

test("every character an id may hold, and its neighbours", async () => {
  for (const id of ["AZaz09._:~-", ".", "..", "~", "%41", "a%3Ab"]) {
    const path = id.startsWith(".") ? id.replaceAll(".", "%2E") : id;
    const answer = await rawPut(`/v1/contexts/project/${path}`, '{"data":{}}');
    // Dots alone are a step in a path to every client and proxy; whatever comes of them, it is no
    // other context.
    if (/^\.+$/.test(id)) assert.ok([201, 400, 404, 405].includes(answer.status), answer.text);
    else assert.equal(answer.status, 201, `${id}: ${answer.text}`);
  }
  for (const id of ["a%20b", "a%2Fb", "a%40b", "a%5Bb", "a%60b", "a%7Bb", "a%7Fb", "a%00b", "%C3%A9", "a+b", "a%25b"]) {
    const { status, body } = await rawPut(`/v1/contexts/project/${id}`, '{"data":{}}');
    assert.deepEqual([status, body.code], [400, "invalid-id"], id);
  }
  for (const path of ["a%", "a%4", "a%zz", "%ff", "a%C3"]) {
    const { status, body } = await rawPut(`/v1/contexts/project/${path}`, '{"data":{}}');
    assert.equal(status, 400, `${path}: ${status}`);
    assert.match(body.code, /^invalid-(request|id)$/);
  }
});

const rawPut = (path, body) => api.put(path, body);

test("data of 1 MiB, by every way in", async () => {
  const refused = { code: "too-large", limit: MEBIBYTE };
  await edge(put, dataOf(MEBIBYTE), dataOf(MEBIBYTE + 1), refused);
  const path = "/v1/contexts/project/p";
  await put({});
  const merge = (data) => api.patch(path, data, MERGE);
  await edge(merge, dataOf(MEBIBYTE), dataOf(MEBIBYTE + 1), refused);
  await put({});
  const add = (data) => api.patch(path, [{ op: "add", path: "/a", value: data.a }], PATCH);
  await edge(add, dataOf(MEBIBYTE), dataOf(MEBIBYTE + 1), refused);
  await put({});
  const room = MEBIBYTE - '{"l":[""]}'.length;
  const append = (length) => api.post(`${path}/append`, { pointer: "/l", values: ["x".repeat(length)] });
  assert.equal((await append(room)).status, 200);
  const past = await api.post(`${path}/append`, { pointer: "/l", values: [0] });
  assert.deepEqual([past.status, past.body.code], [413, "too-large"]);
  await put({});
  const inBatch = (data) =>
    api.post("/v1/batch", {
      operations: [{ action: "put", level: "project", context_id: "p", data }],
    });
  await edge(inBatch, dataOf(MEBIBYTE), dataOf(MEBIBYTE + 1), refused);
  const lines = (data) =>
    api.post("/v1/import?mode=replace", JSON.stringify({ level: "project", id: "p", data }), {
      "content-type": "application/x-ndjson",
    });
  await edge(lines, dataOf(MEBIBYTE - 1), dataOf(MEBIBYTE + 1), refused);
  await put({});
});

test("data is measured in its canonical form, not as it was typed", async () => {
  const spaced = `{"data": {${" ".repeat(2 * MEBIBYTE)}"a": "${"\\u0061".repeat(300_000)}"}}`;
  const { status, body } = await api.put("/v1/contexts/project/spaced", spaced);
  assert.equal(status, 201);
  assert.equal(body.data.a.length, 300_000);
  // Two bytes each as they are typed, six in canonical form.
  const escaped = JSON.stringify({ data: { a: "\u0001".repeat(200_000) } });
  const refused = await api.put("/v1/contexts/project/escaped", escaped);
  assert.deepEqual([refused.status, refused.body.code], [413, "too-large"]);
});

test("nesting of 64, by every way in", async () => {
  const refused = { code: "too-deep", limit: 64 };
  await edge(put, nested(64), nested(65), refused);
  await edge(put, { a: JSON.parse(listed(63)) }, { a: JSON.parse(listed(64)) }, refused);
  const path = "/v1/contexts/project/p";
  const merge = (patch) => api.patch(path, patch, MERGE);
  await edge(merge, nested(64), nested(65), refused);
  await put(nested(63, {}));
  const at = (depth) => "/a".repeat(depth);
  const add = (pointer) => api.patch(path, [{ op: "add", path: pointer, value: {} }], PATCH);
  await put(nested(63, {}));
  await edge(add, at(63), at(64), refused);
  await put({});
  const replaceAll = (data) =>
    api.post("/v1/batch", {
      operations: [
        { action: "update", level: "project", context_id: "p", patch: [{ op: "replace", path: "", value: data }] },
      ],
    });
  await edge(replaceAll, nested(64), nested(65), refused);
  await put(nested(62, {}));
  const append = (values) => api.post(`${path}/append`, { pointer: at(63), values });
  await edge(append, [1], [[]], refused);
  await put({});
  const unset = (pointer) => api.post(`${path}/unset`, { pointers: [pointer] });
  await edge(unset, at(64), at(65), refused);
  await put({});
});

test("what nests without end is refused quickly", async () => {
  for (const text of ["[".repeat(1_000_000), '{"a":'.repeat(500_000), listed(100_000)]) {
    const begun = performance.now();
    const { status, body } = await api.put("/v1/contexts/project/p", text);
    assert.deepEqual([status, body.code], [413, "too-deep"]);
    assert.ok(performance.now() - begun < 20_000); // what is not linear takes minutes
  }
});

test("a view of four layers of 1 MiB", async () => {
  const big = worker.api("big");
  const layer = (letter) => ({ [letter]: "x".repeat(MEBIBYTE - '{"a":""}'.length) });
  await big.put("/v1/contexts/global/global", { data: layer("a") });
  await big.put("/v1/contexts/project/p", { data: layer("b") });
  await big.put("/v1/contexts/branch/b", { data: layer("c"), parent: "p" });
  await big.put("/v1/contexts/task/t", { data: layer("d"), parent: "b" });
  const { status, bytes } = await big.get("/v1/contexts/task/t/resolved");
  assert.equal(status, 200);
  assert.ok(bytes.length > 4 * MEBIBYTE - 1000);
});

test("500 operations in a batch", async () => {
  const batch = (count) =>
    api.post("/v1/batch", {
      operations: Array.from({ length: count }, (_, n) => ({
        action: "put",
        level: "project",
        context_id: `batch${n}`,
        data: { n },
      })),
    });
  const refused = { code: "too-many-operations", limit: 500, pointer: "/operations" };
  const { body } = await edge(batch, 500, 501, refused);
  assert.equal(body.results.length, 500);
  const preview = (count) =>
    api.post("/v1/contexts/project/batch0/preview", {
      operations: Array.from({ length: count }, (_, n) => ({
        action: "put",
        level: "project",
        context_id: `batch${n}`,
        data: { n: n + 1 },
      })),
    });
  const tried = await preview(500);
  assert.equal(tried.status, 200, tried.text.slice(0, 300));
  assert.equal(tried.body.affected.length, 500);
  assert.deepEqual([(await preview(501)).status], [413]);
  assert.equal((await api.post("/v1/batch", { operations: [] })).status, 200);
});

test("a body of 4 MiB", async () => {
  const batch = (bytes) => {
    const body = JSON.stringify({
      operations: [1, 2, 3].map((n) => ({
        action: "put",
        level: "project",
        context_id: `wide${n}`,
        data: { a: "x".repeat(1_000_000) },
      })),
    });
    return api.post("/v1/batch", body + " ".repeat(bytes - body.length));
  };
  await edge(batch, 4 * MEBIBYTE, 4 * MEBIBYTE + 1, { code: "too-large", limit: 4 * MEBIBYTE });
});

test("a body of more than 4 MiB whose length nobody said", async () => {
  const chunk = new TextEncoder().encode(" ".repeat(1 << 16));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent >= 200) return controller.close();
      sent++;
      controller.enqueue(chunk);
    },
  });
  const headers = {
    authorization: `Bearer ${token({ sub: "alice" }, worker.secret)}`,
    "content-type": "application/json",
  };
  const url = new URL("/v1/batch", worker.url);
  const response = await fetch(url, { method: "POST", body, headers, duplex: "half" });
  assert.equal(response.status, 413);
  assert.equal((await response.json()).code, "too-large");
});

test("pages of 1 to 200", async () => {
  const lists = [
    "/v1/contexts",
    "/v1/audit",
    "/v1/contexts/project/batch0/history",
    "/v1/contexts/project/batch0/insights",
    "/v1/contexts/project/batch0/progress",
  ];
  const admin = worker.api("alice", { scope: "contexts:read contexts:write admin" });
  for (const list of lists) {
    for (const limit of [1, 200]) {
      const { status, body, text } = await admin.get(`${list}?limit=${limit}`);
      assert.equal(status, 200, `${list}: ${text}`);
      assert.ok(body.items.length <= limit);
    }
    for (const limit of ["0", "201", "-1", "1.5", "", "x", "99999999999999999999"]) {
      const { status, body } = await admin.get(`${list}?limit=${limit}`);
      assert.deepEqual([status, body.code], [400, "invalid-request"], `${list}?limit=${limit}`);
    }
    for (const cursor of ["", "x", "AAAA", "eyJ9", "%00", "a".repeat(5000)]) {
      const { status, body } = await admin.get(`${list}?cursor=${cursor}`);
      assert.deepEqual([status, body.code], [400, "invalid-request"], `${list}?cursor=${cursor}`);
    }
  }
  const { body } = await api.get("/v1/contexts?limit=200&prefix=batch");
  assert.equal(body.items.length, 200);
  assert.ok(body.next_cursor);
});

test("a pointer of 4096 bytes", async () => {
  await put({});
  const unset = (length) => api.post("/v1/contexts/project/p/unset", { pointers: [`/${"x".repeat(length - 1)}`] });
  const refused = { status: 400, code: "invalid-pointer", limit: 4096, pointer: "/pointers/0" };
  await edge(unset, 4096, 4097, refused);
  const path = (length) => api.get(`/v1/contexts/project/p/resolved?path=/${"y".repeat(length - 1)}`);
  assert.equal((await path(4096)).body.code, "not-found");
  assert.equal((await path(4097)).body.code, "invalid-pointer");
  await put({});
});

test("a summary of 1024 bytes", async () => {
  let n = 0;
  const sum = (summary) => put({ n: n++ }, { summary });
  const refused = { code: "too-large", limit: 1024, pointer: "/summary" };
  await edge(sum, "é".repeat(512), "é".repeat(512) + "!", refused);
  const { body } = await api.get("/v1/contexts/project/p/history?limit=1");
  assert.equal(body.items[0].summary, "é".repeat(512));
});

test("256 rules", async () => {
  const rules = (count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`/r${n}`, "union"]));
  const ruled = (count) => put({}, { rules: rules(count) });
  await edge(ruled, 256, 257, { status: 422, code: "invalid-rules", limit: 256, pointer: "/rules" });
  await put({}, { rules: {} });
});

test("an entry of 64 KiB", async () => {
  const note = (bytes) => api.post("/v1/contexts/project/p/progress", { content: "x".repeat(bytes) });
  await edge(note, 64 << 10, (64 << 10) + 1, { code: "too-large", limit: 64 << 10 });
});

test("an idempotency key of 255 bytes", async () => {
  let n = 0;
  const keyed = (key) => api.put("/v1/contexts/project/p", { data: { keyed: n++ } }, { "idempotency-key": key });
  const refused = { status: 400, code: "invalid-request", limit: 255 };
  await edge(keyed, "k".repeat(255), "k".repeat(256), refused);
  assert.equal((await keyed("")).status, 400);
});

test("versions and states that never were", async () => {
  const get = async (query) => {
    const { status, body } = await api.get(`/v1/contexts/project/p${query}`);
    return [status, body.code];
  };
  assert.deepEqual(await get("?version=99999"), [404, "not-found"]);
  for (const version of ["0", "-1", "1.0", "9007199254740992", "18446744073709551616", ""]) {
    assert.deepEqual(await get(`?version=${version}`), [400, "invalid-request"], version);
  }
  assert.deepEqual(await get("?at=0"), [404, "not-found"]);
  assert.deepEqual(await get("?at=1970-01-01T00:00:00Z"), [404, "not-found"]);
  for (const at of ["", "-1", "1.5", "yesterday", "2026-13-01T00:00:00Z", "9007199254740992"]) {
    assert.deepEqual(await get(`?at=${at}`), [400, "invalid-request"], at);
  }
  assert.deepEqual(await get("/resolved?at=9007199254740991"), [400, "invalid-request"]);
  const back = await api.post("/v1/contexts/project/p/rollback", { version: 99999 });
  assert.deepEqual([back.status, back.body.code], [404, "not-found"]);
});

test("large edits can be read again and rolled back", async () => {
  const path = "/v1/contexts/project/large";
  const wide = (step) => {
    const data = {};
    for (let n = 0; n < 60_000; n += step) data[`m${String(n).padStart(5, "0")}`] = 0;
    return data;
  };
  const states = [wide(1), wide(2), {}, wide(3), { list: Array(90_000).fill(0) }, wide(1)];
  for (const data of states) assert.ok((await api.put(path, { data })).status < 300);
  for (const [index, data] of states.entries()) {
    const { status, body } = await api.get(`${path}?version=${index + 1}`);
    assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
    assert.deepEqual(body.data, data);
  }
  const { status, body } = await api.post(`${path}/rollback`, { version: 2 });
  assert.equal(status, 200);
  assert.deepEqual(body.data, states[1]);
});

test("headers and paths out of all proportion are refused without harm", async () => {
  const long = "x".repeat(7000);
  assert.equal((await api.get(`/v1/contexts/project/${long}`)).status, 400);
  assert.equal((await api.get(`/v1/contexts?${long}=1`)).status, 400);
  assert.equal((await client(worker.url, long).get("/v1/contexts")).status, 401);
  assert.equal((await api.get("/v1/contexts", { "nacre-owner": long })).status, 400);
  const { status, headers } = await api.get("/v1/contexts", { "x-request-id": long });
  assert.equal(status, 200);
  assert.notEqual(headers.get("x-request-id"), long);
});
