// Revoked tokens on a real workerd: they open nothing, their sockets are closed, and neither a
// restart nor a rotation of keys forgets that. No token reaches a log.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { client, start, token } from "./harness.mjs";
import { Line } from "./line.mjs";

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const NOW = Math.floor(Date.now() / 1000);
/** Claims of a token from a minute ago, and of one that is issued right now, as clocks are rounded. */
const OLD = { iat: NOW - 60 };
const fresh = () => ({ iat: Math.ceil(Date.now() / 1000) });

const ok = (answer) => {
  assert.ok(answer.status < 300, answer.text);
  return answer;
};
const refused = ({ status, body, headers }, why) => {
  assert.deepEqual([status, body?.code], [401, "unauthenticated"], why);
  assert.match(headers.get("www-authenticate"), /error="invalid_token".*revoked/, why);
};
const read = (api, headers) => api.get("/v1/contexts/project/p", headers);

test("signing out everywhere ends tokens and sockets, through a restart, until it is taken back", async () => {
  const old = worker.api("ann", OLD);
  ok(await old.put("/v1/contexts/project/p", { data: {} }));
  const line = await Line.open(worker, "ann", { claims: OLD });
  ok(await old.put("/v1/revocations/users/ann"));
  assert.deepEqual(await line.ended, { code: 4401, reason: "the token was revoked" });
  refused(await read(old));
  await assert.rejects(Line.open(worker, "ann", { claims: OLD }), /401/);

  await worker.evict("ann");
  refused(await read(old), "after a wake-up");
  const current = worker.api("ann", { ...fresh(), scope: "contexts:read contexts:write admin" });
  ok(await current.post("/v1/keys/rotate"));
  const rotating = async () => ok(await current.get("/v1/keys")).body.rotating;
  while (await rotating());
  await worker.restart();
  refused(await read(old), "after a rotation of keys and a restart");

  ok(await read(current));
  const { rows } = cost(ok(await read(current)));
  assert.equal(rows, 0, "a warm request reads no row for it");
  assert.equal((await current.delete("/v1/revocations/users/ann")).status, 204);
  ok(await read(old));
});

test("a guest's token is revoked in the owner's store, by user and by id", async () => {
  const owner = worker.api("bea");
  ok(await owner.put("/v1/contexts/project/p", { data: {} }));
  ok(await owner.put("/v1/members/gil", { project: "p", role: "reader" }));
  const at = { "nacre-owner": "bea" };
  const [one, other] = ["one", "other"].map((jti) => worker.api("gil", { ...OLD, jti }));
  const lines = await Promise.all(
    ["one", "other"].map((jti) => Line.open(worker, "gil", { claims: { ...OLD, jti }, owner: "bea" })),
  );
  ok(await owner.put("/v1/revocations/tokens/one"));
  assert.equal((await lines[0].ended).code, 4401);
  refused(await read(one, at));
  ok(await read(other, at));
  assert.equal(lines[1].isClosed, false);

  ok(await owner.put("/v1/revocations/users/gil"));
  assert.equal((await lines[1].ended).code, 4401);
  refused(await read(other, at));
  ok(await read(worker.api("gil", fresh()), at));
  assert.equal((await one.get("/v1/contexts")).status, 200, "his own store is his own");
});

test("an import stops where its token is revoked", async () => {
  const lines = (from, to) => {
    const line = (_, n) => `${JSON.stringify({ level: "project", id: `p${from + n}`, data: {} })}\n`;
    return Array.from({ length: to - from }, line).join("");
  };
  const headers = {
    authorization: `Bearer ${token({ sub: "dan", ...OLD }, worker.secret)}`,
    "content-type": "application/x-ndjson",
  };
  const asked = request(new URL("/v1/import", worker.url), { method: "POST", headers });
  const answered = once(asked, "response");
  asked.write(lines(0, 600));
  const current = worker.api("dan", fresh());
  const has = async (id) => (await current.get(`/v1/contexts/project/${id}`)).status === 200;
  for (let tries = 0; !(await has("p499")); tries++) {
    assert.ok(tries < 100, "the first block is stored while the rest is still to come");
    await sleep(50);
  }
  ok(await current.put("/v1/revocations/users/dan", { not_before: new Date(Date.now() - 30_000).toISOString() }));
  asked.end(lines(600, 1200));
  const [response] = await answered;
  assert.equal(response.statusCode, 401);
  assert.match(response.headers["www-authenticate"], /revoked/);
  response.resume();
  assert.equal(await has("p1100"), false);
});

test("a write whose body was still to come when its token was revoked is refused", async () => {
  const body = JSON.stringify({ data: { late: true } });
  const headers = {
    authorization: `Bearer ${token({ sub: "eli", ...OLD }, worker.secret)}`,
    "content-type": "application/json",
    "content-length": body.length,
  };
  const current = worker.api("eli", fresh());
  ok(await current.put("/v1/contexts/project/p", { data: {} }));
  const asked = request(new URL("/v1/contexts/project/p", worker.url), { method: "PUT", headers });
  const answered = once(asked, "response");
  asked.write(body.slice(0, 10));
  await sleep(500);
  ok(await current.put("/v1/revocations/users/eli", { not_before: new Date(Date.now() - 30_000).toISOString() }));
  asked.end(body.slice(10));
  const [response] = await answered;
  response.resume();
  assert.equal(response.statusCode, 401);
  assert.match(response.headers["www-authenticate"], /revoked/);
  assert.deepEqual(ok(await read(current)).body.data, {});
});

test("no token reaches a log, whatever becomes of it", async () => {
  const bearers = [
    token({ sub: "cat" }, worker.secret),
    token({ sub: "cat", exp: NOW - 900 }, worker.secret),
    token({ sub: "cat" }, "another secret of more than thirty-two bytes"),
  ];
  for (const bearer of bearers) {
    await client(worker.url, bearer).get("/v1/contexts?limit=x");
    await Line.open(worker, "cat", { bearer }).then(
      (line) => line.close(),
      () => {},
    );
    await Line.open(worker, "cat", { bearer, owner: "nobody" }).then(
      (line) => line.close(),
      () => {},
    );
  }
  const logged = JSON.stringify(worker.logs);
  for (const bearer of bearers) assert.ok(!logged.includes(bearer.split(".")[2]));
});

function cost({ headers }) {
  const [, rows] = /rows-read;desc="(\d+)"/.exec(headers.get("server-timing"));
  return { rows: Number(rows) };
}
