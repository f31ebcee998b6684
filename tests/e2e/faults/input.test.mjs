// Bodies that are not what they should be: refused with the right code and place, and what is close
// to the edge but right survives unchanged.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const PATCH = { "content-type": "application/json-patch+json" };
const MSGPACK = { "content-type": "application/msgpack" };
const PACKED = { accept: "application/msgpack" };
const PATH = "/v1/contexts/project/p";

let worker, api;
before(async () => {
  worker = await start();
  api = worker.api("alice");
  assert.equal((await api.put(PATH, { data: { a: { b: [1, 2] }, s: "text" } })).status, 201);
});
after(() => worker?.stop());

async function refused(answer, status, code, pointer) {
  const { body, headers, text } = await answer;
  assert.deepEqual([(await answer).status, body?.code], [status, code], text.slice(0, 400));
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(body.status, status);
  assert.equal(body.type, `urn:nacre:error:${code}`);
  assert.ok(body.title && body.detail);
  assert.ok(headers.get("x-request-id"));
  if (pointer !== undefined) assert.equal(body.pointer, pointer, text);
}

test("malformed JSON is refused, wherever a body is read", async () => {
  const bodies = [
    "",
    " ",
    "{",
    "}",
    "{]",
    "[",
    "nul",
    "nulll",
    "True",
    "undefined",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1_000",
    "'a'",
    '"',
    '"\\',
    '"\\x41"',
    '"\\u12"',
    '"\\u{41}"',
    '"\t"',
    '"\n"',
    "{a:1}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "[1,]",
    "[,1]",
    "[1 2]",
    "{} {}",
    "{}x",
    "// a\n{}",
    "{}/**/",
    "\ufeff{}",
    "\u00a0{}",
    '{"data":{}}}',
    '{"data":{}',
    '{"data":{"a":1 "b":2}}',
    Buffer.from([0xff]),
    Buffer.from('{"data":{"a":"\xff"}}', "latin1"),
    Buffer.from([0x22, 0xc0, 0x80, 0x22]),
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]),
    Buffer.from([0]),
    Buffer.from('{"data":{}}\0', "latin1"),
  ];
  for (const body of bodies) {
    const shown = JSON.stringify(String(body));
    for (const send of [
      () => api.put(PATH, body),
      () => api.patch(PATH, body, MERGE),
      () => api.patch(PATH, body, PATCH),
      () => api.post("/v1/batch", body),
    ]) {
      const { status, body: problem } = await send();
      assert.deepEqual([status, problem?.code], [400, "invalid-json"], shown);
      assert.match(problem.detail, /at byte \d+/, shown);
    }
  }
  assert.equal((await api.get(PATH)).body.version, 1);
});

test("two members of one name are refused, also when they are spelt differently", async () => {
  const twice = (text, pointer) => refused(api.put(PATH, text), 400, "invalid-json", pointer);
  await twice('{"data":{"a":1,"a":2}}', "/data/a");
  await twice('{"data":{"a":1,"\\u0061":1}}', "/data/a");
  await twice('{"data":{"l":[{"x/y":1,"x\\/y":2}]}}', "/data/l/0/x~1y");
  await twice('{"data":{},"data":{}}', "/data");
  await refused(api.patch(PATH, '{"a":null,"a":1}', MERGE), 400, "invalid-json", "/a");
});

test("surrogates that stand alone are refused, pairs are one character", async () => {
  for (const text of ['"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\udc00\\ud800"', '"\\ud800x"', '"\\ud800\\n"']) {
    await refused(api.put(PATH, `{"data":{"a":${text}}}`), 400, "invalid-json");
    await refused(api.put(PATH, `{"data":{${text}:1}}`), 400, "invalid-json");
  }
  const { status } = await api.put(PATH, '{"data":{"\\ud83d\\ude00":"\\uD83D\\uDE00"}}');
  assert.equal(status, 200);
  assert.match((await api.get(PATH)).text, /"data":\{"😀":"😀"\}/);
});

test("numbers survive unchanged, in one form each, or are refused", async () => {
  const kept = [
    "0",
    "1",
    "-1",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775806",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775807",
    "-9223372036854775808",
    "18446744073709551614",
    "18446744073709551615",
    "100000000000000000000",
    "0.1",
    "-0.5",
    "5e-324",
    "1.7976931348623157e+308",
    "1e+21",
    "1e-7",
    "0.000001",
    "123456789.125",
  ];
  const forms = {
    "-0": "0",
    "0.0": "0",
    "-0.0e5": "0",
    "1.0": "1",
    "1e0": "1",
    "10E-1": "1",
    "1e20": "100000000000000000000",
    "1E400e": undefined,
    "0.1e1": "1",
    "1e-400": "0",
    "9007199254740993.0": "9007199254740992",
    "1.7976931348623157E308": "1.7976931348623157e+308",
  };
  const refusals = [
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "100000000000000000001",
    "1e400",
    "-1e400",
    "1.8e308",
    "9".repeat(400),
    `-${"9".repeat(100_000)}`,
  ];
  for (const number of kept) {
    const written = await api.put(PATH, `{"data":{"n":${number}}}`);
    assert.equal(written.status, 200, number);
    for (const answer of [written, await api.get(PATH), await api.get(`${PATH}/resolved`)]) {
      assert.ok(answer.text.includes(`"data":{"n":${number}}`), `${number}: ${answer.text}`);
    }
  }
  for (const [number, form] of Object.entries(forms)) {
    const { status, text } = await api.put(PATH, `{"data":{"n":${number}}}`);
    if (form === undefined) assert.equal(status, 400, number);
    else assert.ok(text.includes(`"data":{"n":${form}}`), `${number}: ${text}`);
  }
  for (const number of refusals) {
    await refused(api.put(PATH, `{"data":{"n":${number}}}`), 400, "invalid-json");
  }
});

test("integers beyond 2^53 go through patches, tests, lists and history", async () => {
  const [big, next] = ["9007199254740993", "9007199254740994"];
  await api.put(PATH, `{"data":{"n":${big},"list":[${big}]}}`);
  const patch = (text) => api.patch(PATH, text, PATCH);
  await refused(patch(`[{"op":"test","path":"/n","value":${next}}]`), 409, "merge-conflict", "/n");
  assert.equal((await patch(`[{"op":"test","path":"/n","value":${big}}]`)).status, 200);
  const appended = await api.post(`${PATH}/append`, `{"pointer":"/list","values":[${next}]}`);
  assert.ok(appended.text.includes(`"list":[${big},${next}]`), appended.text);
  const { version } = appended.body;
  await api.put(PATH, '{"data":{}}');
  const earlier = await api.get(`${PATH}?version=${version}`);
  assert.ok(earlier.text.includes(`"list":[${big},${next}]`), earlier.text);
  const history = await api.get(`${PATH}/history?limit=1`);
  assert.equal(history.status, 200);
  const back = await api.post(`${PATH}/rollback`, { version });
  assert.ok(back.text.includes(`"n":${big}`), back.text);
});

test("names that mean something in JavaScript are names", async () => {
  const names = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    " ",
    "\u0000",
    "~",
    "/",
    "~1",
  ];
  const data = `{${names.map((name, n) => `${JSON.stringify(name)}:${n}`).join(",")}}`;
  assert.equal((await api.put(PATH, `{"data":${data}}`)).status, 200);
  const { text } = await api.get(`${PATH}/resolved`);
  for (const [n, name] of names.entries()) {
    assert.ok(text.includes(`${JSON.stringify(name)}:${n}`), name);
    const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const part = await api.get(`${PATH}/resolved?path=${encodeURIComponent(pointer)}`);
    assert.equal(part.body.data, n, pointer);
  }
});

test("pointers that are none are refused with their place", async () => {
  for (const pointer of ["a", "a/b", "#/a", "/~", "/~2", "/a~", " /a", "//~3"]) {
    await refused(api.post(`${PATH}/append`, { pointer, values: [] }), 400, "invalid-pointer", "/pointer");
    await refused(api.post(`${PATH}/unset`, { pointers: ["/x", pointer] }), 400, "invalid-pointer", "/pointers/1");
    await refused(api.patch(PATH, [{ op: "remove", path: pointer }], PATCH), 400, "invalid-pointer", "/0/path");
    await refused(api.put(PATH, { data: {}, rules: { [pointer]: "lock" } }), 422, "invalid-rules");
    await refused(api.get(`${PATH}/resolved?path=${encodeURIComponent(pointer)}`), 400, "invalid-pointer");
  }
});

test("pointers that lead nowhere change nothing", async () => {
  await api.put(PATH, { data: { a: { b: [1, 2] }, s: "text", n: null } });
  const { version } = (await api.get(PATH)).body;
  const patch = (operations) => api.patch(PATH, operations, PATCH);
  for (const path of [
    "/x/y",
    "/a/b/2",
    "/a/b/-",
    "/a/b/01",
    "/a/b/+1",
    "/a/b/x",
    "/s/0",
    "/n/x",
    "/a/b/99999999999999999999",
  ]) {
    await refused(patch([{ op: "remove", path }]), 409, "merge-conflict", path);
    await refused(
      patch([
        { op: "add", path: "/new", value: 1 },
        { op: "replace", path, value: 1 },
      ]),
      409,
      "merge-conflict",
      path,
    );
  }
  await refused(patch([{ op: "remove", path: "" }]), 409, "merge-conflict", "");
  await refused(patch([{ op: "replace", path: "", value: [] }]), 400, "invalid-request");
  await refused(patch([{ op: "move", from: "/a", path: "/a/b/0" }]), 400, "invalid-request", "/0/path");
  await refused(api.post(`${PATH}/append`, { pointer: "/s", values: [1] }), 409, "merge-conflict");
  await refused(api.post(`${PATH}/unset`, { pointers: ["/a/b/0"] }), 409, "merge-conflict");
  await refused(api.post(`${PATH}/unset`, { pointers: [""] }), 400, "invalid-pointer");
  assert.equal((await api.get(PATH)).body.version, version);
});

test("wrong types are refused with their place", async () => {
  const wrong = async (send, cases) => {
    for (const [body, pointer, code = "invalid-request", status = 400] of cases) {
      await refused(send(body), status, code, pointer);
    }
  };
  await wrong(
    (body) => api.put(PATH, body),
    [
      [[], ""],
      ["1", ""],
      ["null", ""],
      ['"x"', ""],
      [{}, ""],
      [{ data: null }, "/data"],
      [{ data: [] }, "/data"],
      [{ data: 1 }, "/data"],
      [{ data: "{}" }, "/data"],
      [{ data: {}, rules: [] }, "/rules"],
      [{ data: {}, rules: { "/a": 1 } }, "/rules/~1a", "invalid-rules", 422],
      [{ data: {}, rules: { "/a": "best" } }, "/rules/~1a", "invalid-rules", 422],
      [{ data: {}, rules: { "/a": "keyed:" } }, "/rules/~1a", "invalid-rules", 422],
      [{ data: {}, parent: 1 }, "/parent"],
      [{ data: {}, parent: "a b" }, "/parent", "invalid-id"],
      [{ data: {}, summary: ["why"] }, "/summary"],
    ],
  );
  await wrong(
    (body) => api.patch(PATH, body, PATCH),
    [
      [{}, ""],
      [[1], "/0"],
      [[{}], "/0"],
      [[{ op: 1, path: "" }], "/0/op"],
      [[{ op: "put", path: "/a" }], "/0/op"],
      [[{ op: "add", path: "/a" }], "/0"],
      [[{ op: "remove" }], "/0"],
      [[{ op: "remove", path: 1 }], "/0/path"],
      [[{ op: "move", path: "/a" }], "/0"],
      [[{ op: "copy", path: "/a", from: null }], "/0/from"],
    ],
  );
  await wrong(
    (body) => api.patch(PATH, body, MERGE),
    [
      [[], ""],
      ["null", ""],
      ["1", ""],
      ['"x"', ""],
    ],
  );
  await wrong(
    (body) => api.post(`${PATH}/append`, body),
    [
      [{ pointer: "/a" }, ""],
      [{ values: [] }, ""],
      [{ pointer: 1, values: [] }, "/pointer"],
      [{ pointer: "", values: {} }, "/values"],
    ],
  );
  await wrong(
    (body) => api.post(`${PATH}/insights`, body),
    [
      [{}, ""],
      [{ content: 1 }, "/content"],
      [{ content: "c", importance: "high" }, "/importance"],
      [{ content: "c", importance: 1.01 }, "/importance"],
      [{ content: "c", importance: -0.01 }, "/importance"],
      [{ content: "" }, "/content"],
    ],
  );
  await wrong(
    (body) => api.post(`${PATH}/rollback`, body),
    [
      [{}, ""],
      [{ version: "1" }, "/version"],
      [{ version: 1.5 }, "/version"],
      [{ version: -1 }, "/version"],
      [{ version: null }, "/version"],
    ],
  );
  const operation = { action: "put", level: "project", context_id: "x", data: {} };
  await wrong(
    (body) => api.post("/v1/batch", body),
    [
      [[], ""],
      [{}, ""],
      [{ operations: {} }, "/operations"],
      [{ operations: [], transaction: "yes" }, "/transaction"],
      [{ operations: [1] }, "/operations/0"],
      [{ operations: [{}] }, "/operations/0"],
      [{ operations: [operation, { ...operation, action: "explode" }] }, "/operations/1/action"],
      [{ operations: [{ ...operation, level: "moon" }] }, "/operations/0/level", "invalid-id"],
      [{ operations: [{ ...operation, context_id: "a b" }] }, "/operations/0/context_id", "invalid-id"],
      [{ operations: [{ ...operation, expect_version: -1 }] }, "/operations/0/expect_version"],
      [{ operations: [{ ...operation, cascade: true }] }, "/operations/0/cascade"],
      [{ operations: [{ ...operation, data: undefined }] }, "/operations/0"],
    ],
  );
});

test("unknown members are refused with their place, at every level", async () => {
  for (const [method, path, body] of [
    ["put", PATH, { data: {} }],
    ["post", `${PATH}/append`, { pointer: "/l", values: [] }],
    ["post", `${PATH}/unset`, { pointers: ["/l"] }],
    ["post", `${PATH}/insights`, { content: "c" }],
    ["post", `${PATH}/progress`, { content: "c" }],
    ["post", `${PATH}/restore`, {}],
    ["post", `${PATH}/rollback`, { version: 1 }],
    ["post", `${PATH}/preview`, { patch: {} }],
    ["post", "/v1/contexts/task/t/move", { parent: "b" }],
    ["post", "/v1/batch", { operations: [] }],
    ["put", "/v1/members/bob", { project: "p", role: "reader" }],
    ["delete", "/v1/members/bob"],
  ]) {
    if (body === undefined) continue;
    await refused(api[method](path, { ...body, "un/known": 1 }), 400, "invalid-request", "/un~1known");
  }
  const operation = { action: "put", level: "project", context_id: "x", data: {}, extra: 1 };
  await refused(api.post("/v1/batch", { operations: [operation] }), 400, "invalid-request", "/operations/0/extra");
  await refused(api.get(`${PATH}?unknown=1`), 400, "invalid-request");
  await refused(api.get(`${PATH}?reveal=yes`), 400, "invalid-request");
  await refused(api.get("/v1/contexts?limit=1&limit=1"), 400, "invalid-request");
});

test("a media type that is not read here is refused", async () => {
  const body = '{"data":{}}';
  for (const type of [
    "text/plain",
    "application/xml",
    "application/jsonx",
    "multipart/form-data",
    "application/merge-patch+json",
    "application/json; charset=latin1",
    "json",
  ]) {
    await refused(api.put(PATH, body, { "content-type": type }), 415, "unsupported-media-type");
  }
  for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]) {
    assert.equal((await api.put(PATH, body, { "content-type": type })).status, 200, type);
  }
  await refused(api.patch(PATH, "{}", { "content-type": "text/json" }), 415, "unsupported-media-type");
  await refused(api.put(PATH, body, { "content-encoding": "gzip" }), 415, "unsupported-media-type");
});

test("paths and methods that do not exist are problems", async () => {
  for (const path of [
    "/v1",
    "/v1/",
    "/v1/contexts/",
    "/v1/contexts/project",
    "/v1/contexts/project/p/",
    "/v1/contexts/project/p/x",
    "/v1//contexts",
    "/V1/contexts",
    "/v2/contexts",
  ]) {
    await refused(api.get(path), 404, "not-found");
  }
  await refused(api.get("/v1/contexts/moon/p"), 400, "invalid-id");
  await refused(api.get("/v1/contexts/global/p"), 400, "invalid-id");
  const allow = async (path, method, allowed) => {
    const answer = await api[method](path, method === "get" ? undefined : "{}");
    await refused(answer, 405, "method-not-allowed");
    assert.equal(answer.headers.get("allow"), allowed);
  };
  await allow("/v1/batch", "get", "POST, OPTIONS");
  await allow("/v1/contexts", "post", "GET, HEAD, OPTIONS");
  await allow(`${PATH}/resolved`, "put", "GET, HEAD, OPTIONS");
});

test("MessagePack says the same as JSON, both ways", async () => {
  const packed = Buffer.from([
    0x81,
    0xa4,
    ...Buffer.from("data"),
    0x86,
    0xa1,
    0x61,
    0xcf,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff, // "a": 2^64 − 1
    0xa1,
    0x62,
    0xd3,
    0x80,
    0,
    0,
    0,
    0,
    0,
    0,
    0, // "b": −2^63
    0xa1,
    0x63,
    0xcb,
    0x3f,
    0xb9,
    0x99,
    0x99,
    0x99,
    0x99,
    0x99,
    0x9a, // "c": 0.1
    0xa1,
    0x64,
    0x93,
    0xc0,
    0xc2,
    0xc3, // "d": [null, false, true]
    0xa1,
    0x65,
    0xd9,
    0x02,
    0xc3,
    0xa9, // "e": "é", longer than need be
    0xa1,
    0x66,
    0xca,
    0x3f,
    0x80,
    0,
    0, // "f": 1 as a float of 32 bits
  ]);
  const { status } = await api.put("/v1/contexts/project/packed", packed, MSGPACK);
  assert.equal(status, 201);
  const json = await api.get("/v1/contexts/project/packed");
  assert.ok(
    json.text.includes(
      '"data":{"a":18446744073709551615,"b":-9223372036854775808,"c":0.1,"d":[null,false,true],"e":"é","f":1}',
    ),
    json.text,
  );
  const answer = await api.get("/v1/contexts/project/packed", PACKED);
  assert.equal(answer.headers.get("content-type"), "application/msgpack");
  assert.equal(answer.headers.get("etag"), json.headers.get("etag"));
  const data = Buffer.from([
    0xa4,
    ...Buffer.from("data"),
    0x86,
    0xa1,
    0x61,
    0xcf,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xa1,
    0x62,
    0xd3,
    0x80,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xa1,
    0x63,
    0xcb,
    0x3f,
    0xb9,
    0x99,
    0x99,
    0x99,
    0x99,
    0x99,
    0x9a,
    0xa1,
    0x64,
    0x93,
    0xc0,
    0xc2,
    0xc3,
    0xa1,
    0x65,
    0xa2,
    0xc3,
    0xa9,
    0xa1,
    0x66,
    0x01,
  ]);
  assert.ok(answer.bytes.includes(data), answer.bytes.toString("hex"));
});

test("MessagePack that has no form in JSON is refused", async () => {
  const put = (bytes) => api.put(PATH, Buffer.from(bytes), MSGPACK);
  const data = (...value) => [0x81, 0xa4, ...Buffer.from("data"), 0x81, 0xa1, 0x61, ...value];
  for (const bytes of [
    [],
    [0xc1],
    data(0xc4, 1, 0),
    data(0xd4, 1, 0),
    data(0xd6, 0xff, 0, 0, 0, 0),
    data(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
    data(0xca, 0x7f, 0x80, 0, 0),
    data(0x81, 0x01, 0x01),
    data(0xa1, 0xff),
    data(0xdd, 0xff, 0xff, 0xff, 0xff),
    data(0xdf, 0xff, 0xff, 0xff, 0xff),
    data(0xdb, 0xff, 0xff, 0xff, 0xff),
    data(1, 1),
    data(0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2),
    data(0xa3, 0xed, 0xa0, 0x80),
    [0x81, 0xa4, ...Buffer.from("data")],
  ]) {
    const { status, body } = await put(bytes);
    assert.deepEqual([status, body.code], [400, "invalid-json"], Buffer.from(bytes).toString("hex"));
  }
  const deep = [...data(), ...Array(70).fill(0x91), 0xc0];
  assert.deepEqual((await put(deep)).body.code, "too-deep");
});

test("the deepest document can be read in MessagePack, wherever it is shown", async () => {
  const deep = (inner) => JSON.parse('{"a":'.repeat(64) + inner + "}".repeat(64));
  const path = "/v1/contexts/project/deep";
  const first = await api.put(path, { data: deep(1) });
  const seq = first.headers.get("nacre-seq");
  await api.put(path, { data: deep(2) });
  await api.put(path, { data: { [`x${"y".repeat(6000)}`]: 1 } });
  await api.put(path, { data: deep(3) });
  for (const read of ["", "/resolved", "/history", "/diff?from=1", `/resolved/diff?from=${seq}`]) {
    const [json, packed] = [await api.get(path + read), await api.get(path + read, PACKED)];
    assert.deepEqual([json.status, packed.status], [200, 200], `${read}: ${packed.text.slice(0, 300)}`);
  }
  const operations = [{ action: "put", level: "project", context_id: "deep", data: deep(4) }];
  for (const headers of [{}, PACKED]) {
    const preview = await api.post(`${path}/preview`, { operations }, headers);
    assert.equal(preview.status, 200, preview.text.slice(0, 300));
    const listed = await api.get("/v1/contexts?prefix=deep&data=true", headers);
    assert.equal(listed.status, 200, listed.text.slice(0, 300));
  }
});

test("imports name the line that is wrong, and take none of its block", async () => {
  const line = (id, more) => JSON.stringify({ level: "project", id, data: {}, ...more });
  const post = (text) => api.post("/v1/import", text, { "content-type": "application/x-ndjson" });
  for (const [bad, code, status] of [
    ["{", "invalid-json", 400],
    [line("i2", { extra: 1 }), "invalid-request", 400],
    [line("a b"), "invalid-id", 400],
    [line("i2", { level: "branch", parent: "nowhere" }), "parent-not-found", 404],
    [line("i1"), "already-exists", 409],
  ]) {
    const { status: got, body } = await post([line("i1"), "", bad, line("i3")].join("\n"));
    assert.deepEqual([got, body.code, body.failed_operation], [status, code, 2], bad);
    assert.equal((await api.get("/v1/contexts/project/i1")).status, 404);
  }
  const { status, body } = await post(`\r\n${line("i1")}\r\n\n${line("i3")}`);
  assert.deepEqual([status, body.created, body.replaced], [200, 2, 0], JSON.stringify(body));
  assert.equal((await post("")).status, 200);
});
