// The main job on real input: 239 contexts of four levels come in as one import, and each view is
// byte for byte what an independent fold of its chain gives.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { root, start, token } from "./harness.mjs";

const shared = process.env.NACRE_SHARED ?? join(root, "..", "shared");
const file = (name) => join(shared, "data", "layers", name);
const skip = existsSync(file("govuk.ndjson.gz")) ? false : `skipped: ${file("govuk.ndjson.gz")} is missing`;
if (skip) console.error(skip);

const read = (name) => gunzipSync(readFileSync(file(name)));

let worker, api;
before(async () => {
  worker = await start();
  api = worker.api("alice", { scope: "contexts:read contexts:write secrets:reveal" });
});
after(() => worker?.stop());

/** The bytes of `data` in an answer, as they were sent: members are in sorted order. */
function dataOf({ text }) {
  const from = text.indexOf('],"data":') + '],"data":'.length;
  return text.slice(from, text.lastIndexOf(',"hash":"'));
}

async function everyViewIsRight(options = "") {
  const expected = read("govuk.expected.ndjson.gz")
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(expected.length, 239);
  for (const { level, id, sha256 } of expected) {
    const answer = await api.get(`/v1/contexts/${level}/${id}/resolved?reveal=true${options}`);
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    assert.equal(createHash("sha256").update(dataOf(answer)).digest("hex"), sha256, `${level}/${id}`);
  }
}

test("every view of the imported contexts is the independent fold", { skip }, async () => {
  const lines = { "content-type": "application/x-ndjson" };
  const imported = await api.post("/v1/import", read("govuk.ndjson.gz"), lines);
  assert.deepEqual([imported.status, imported.body], [200, { created: 239, replaced: 0, seq: 1 }]);
  await everyViewIsRight();
  const again = await api.post("/v1/import", read("govuk.ndjson.gz"), lines);
  assert.deepEqual([again.status, again.body.code], [409, "already-exists"]);
});

test("the same after the object was dropped from memory, and of the past", { skip }, async () => {
  await worker.evict("alice");
  await everyViewIsRight();
  const merge = { "content-type": "application/merge-patch+json" };
  const changed = await api.patch("/v1/contexts/global/global", { app_domain: "elsewhere" }, merge);
  assert.equal(changed.status, 200);
  await everyViewIsRight("&at=1");
});

test("sealed values show as markers unless they are asked for, and change no hash", { skip }, async () => {
  const path = "/v1/contexts/project/production/resolved";
  const [sealed, revealed] = [await api.get(path), await api.get(`${path}?reveal=true`)];
  assert.match(sealed.text, /"\$sealed":"f1\./);
  assert.doesNotMatch(revealed.text, /\$sealed/);
  assert.equal(sealed.body.hash, revealed.body.hash);
  // The bytes differ, so their validators do.
  assert.notEqual(sealed.headers.get("etag"), revealed.headers.get("etag"));
});

/** The headers and the bytes of an export, as they come over the wire. */
function exported(encoding) {
  const headers = { authorization: `Bearer ${token({ sub: "alice" }, worker.secret)}`, "accept-encoding": encoding };
  return new Promise((resolve, reject) => {
    const asked = request(`${worker.url}/v1/export`, { headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, bytes: Buffer.concat(parts) }));
    });
    asked.on("error", reject).end();
  });
}

test("an export is compressed where that is accepted, to an eighth of its length", { skip }, async () => {
  const [plain, zipped] = [await exported("identity"), await exported("gzip, br")];
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.equal(zipped.headers["content-encoding"], "gzip");
  assert.ok(plain.headers.vary.includes("Accept-Encoding") && zipped.headers.vary.includes("Accept-Encoding"));
  assert.ok(gunzipSync(zipped.bytes).equals(plain.bytes));
  assert.ok(zipped.bytes.length * 8 < plain.bytes.length, `${zipped.bytes.length} of ${plain.bytes.length} bytes`);
});
