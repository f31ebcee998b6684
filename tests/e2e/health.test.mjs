// The Worker starts, answers, and comes back at the same address after a kill and a restart.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { client, start } from "./harness.mjs";

let worker, anyone;
before(async () => {
  worker = await start();
  anyone = client(worker.url);
});
after(() => worker?.stop());

async function isHealthy() {
  const { status, body } = await anyone.get("/healthz");
  assert.deepEqual({ status, body }, { status: 200, body: { status: "ok" } });
}

test("answers its health check without a token", isHealthy);

test("answers again after workerd was killed", async () => {
  await worker.kill();
  await isHealthy();
});

test("answers again after an orderly restart", async () => {
  await worker.restart();
  await isHealthy();
});

test("answers an unknown path with a problem from the user's object", async () => {
  const { status, headers, body } = await worker.api("alice").get("/v1/nothing-here");
  assert.equal(status, 404);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(body.code, "not-found");
  assert.equal(body.status, 404);
});

test("refuses everything without its settings, and says which is missing", async () => {
  await worker.restart({ NACRE_MASTER_KEYS: undefined });
  const { status, body } = await anyone.get("/healthz");
  assert.equal(status, 500);
  assert.match(body.detail, /NACRE_MASTER_KEYS is not set/);
});
