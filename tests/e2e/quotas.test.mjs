// What one user may use: rates and stocks, at limits that a test reaches.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";
import { Line } from "./line.mjs";

const QUOTAS = [
  "burst=60",
  "requests_per_second=20",
  "searches_per_second=1",
  "contexts=4",
  "members=1",
  "sockets=2",
  "subscriptions=3",
  "idempotency_bytes=2000",
  "guest.burst=5",
  "guest.requests_per_second=1",
  "guest.sockets=1",
].join(",");

let worker;
before(async () => {
  worker = await start({ vars: { NACRE_QUOTAS: QUOTAS } });
});
after(() => worker?.stop());

const project = (id) => `/v1/contexts/project/${id}`;
const used = async (api) => (await api.get("/v1/usage")).body;

test("requests past the burst wait, and those of others do not", async () => {
  const [ada, ben] = [worker.api("rate-ada"), worker.api("rate-ben")];
  const answers = await Promise.all(Array.from({ length: 80 }, () => ada.get("/v1/contexts")));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && refused.length <= 20, `${refused.length}`);
  const [{ headers, body }] = refused;
  assert.equal(body.code, "rate-limited");
  assert.equal(body.limit, 20);
  assert.equal(headers.get("retry-after"), "1");
  assert.match(headers.get("ratelimit"), /^"requests";r=\d+;t=\d+$/);
  assert.equal(headers.get("ratelimit-policy"), '"requests";q=60;w=3');
  assert.equal((await ben.get("/v1/contexts")).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal((await ada.get("/v1/contexts")).status, 200);
});

test("searches have a pace of their own", async () => {
  const api = worker.api("searcher");
  await api.put("/v1/contexts/project/p", { data: { title: "Web shop" } });
  for (let left = 10; left > 0; left -= 1) {
    assert.equal((await api.get("/v1/search?q=shop&mode=text")).status, 200, `${left} left`);
  }
  const { status, body, headers } = await api.post("/v1/search", { q: "shop" });
  assert.deepEqual([status, body.code, body.limit], [429, "rate-limited", 1]);
  assert.equal(headers.get("retry-after"), "1");
  assert.equal((await used(api)).searches.burst, 10);
  assert.equal((await api.get("/v1/contexts/project/p")).status, 200);
});

test("stocks stop at their limits, and usage tells where they stand", async () => {
  const api = worker.api("stock");
  for (const id of ["a", "b", "c", "d"]) assert.equal((await api.put(project(id), { data: { id } })).status, 201);
  const { status, body } = await api.put(project("e"), { data: {} });
  assert.deepEqual([status, body.code, body.limit], [403, "quota-exceeded", 4]);
  assert.equal((await api.put(project("a"), { data: { id: "again" } })).status, 200);
  assert.equal((await api.delete(project("d"))).status, 200);
  assert.equal((await api.put(project("e"), { data: {} })).status, 201);
  assert.equal((await api.put("/v1/members/x", { project: "a", role: "reader" })).status, 200);
  const share = await api.put("/v1/members/y", { project: "a", role: "reader" });
  assert.deepEqual([share.status, share.body.limit], [403, 1]);
  const before = await used(api);
  assert.deepEqual(before.quotas.contexts, { limit: 4, used: 4 });
  assert.deepEqual(before.quotas.members, { limit: 1, used: 1 });
  assert.ok(before.quotas.stored_bytes.used > 0);
  await worker.evict("stock");
  assert.deepEqual((await used(api)).quotas, before.quotas);
});

test("stored answers of one user are bounded in bytes", async () => {
  const api = worker.api("keys");
  const write = (n) => api.put(project("a"), { data: { n, text: "x".repeat(100) } }, { "idempotency-key": `k${n}` });
  const answers = [];
  for (let n = 0; n < 20; n++) answers.push(await write(n));
  const refused = answers.findIndex(({ status }) => status === 403);
  assert.ok(refused > 1, `${refused}`);
  assert.equal(answers[refused].body.code, "quota-exceeded");
  assert.equal((await write(0)).headers.get("idempotency-replayed"), "true");
  assert.equal((await api.put(project("a"), { data: {} })).status, 200, "without a key");
  const { idempotency_bytes: bytes } = (await used(api)).quotas;
  assert.ok(bytes.used > 0 && bytes.used <= 2000);
});

test("sockets and subscriptions are counted, and a topic is told once to each socket", async () => {
  const api = worker.api("live");
  await api.put(project("p"), { data: { n: 0 } });
  const [one, two] = [await Line.open(worker, "live"), await Line.open(worker, "live")];
  await assert.rejects(Line.open(worker, "live"));
  const topic = { context: { level: "project", id: "p" } };
  for (const id of ["a", "b"]) assert.equal((await one.ask({ type: "subscribe", id, topic })).type, "subscribed");
  assert.equal((await two.ask({ type: "subscribe", id: "c", topic })).type, "subscribed");
  const refused = await two.ask({ type: "subscribe", id: "d", topic });
  assert.deepEqual([refused.type, refused.code, refused.limit], ["error", "quota-exceeded", 3]);
  const { quotas } = await used(api);
  assert.deepEqual([quotas.sockets.used, quotas.subscriptions.used], [2, 3]);
  for (const n of [1, 2]) await api.put(project("p"), { data: { n } });
  const told = await one.take(2);
  assert.deepEqual(
    told.map(({ id, version }) => [id, version]),
    [
      ["b", 2],
      ["b", 3],
    ],
  );
  one.close();
  two.close();
});

test("a guest has limits of their own and sees only those, a stranger sees nothing", async () => {
  const api = worker.api("host");
  await api.put(project("p"), { data: {} });
  await api.put("/v1/members/guest", { project: "p", role: "reader" });
  const ofHost = { "nacre-owner": "host" };
  const { quotas, requests } = (await worker.api("guest").get("/v1/usage", ofHost)).body;
  assert.deepEqual(Object.keys(quotas), ["idempotency_bytes", "sockets", "subscriptions"]);
  assert.deepEqual([quotas.sockets.limit, requests.burst], [1, 5]);
  assert.equal((await worker.api("stranger").get("/v1/usage", ofHost)).status, 404);
});

test("the platform's limit stands in front of the object, for each user", async () => {
  const bindings = { ratelimits: { SHIELD: { namespace_id: "1", simple: { limit: 5, period: 60 } } } };
  await using shielded = await start({ bindings });
  const [ada, ben] = [shielded.api("ada"), shielded.api("ben")];
  const answers = await Promise.all(Array.from({ length: 8 }, () => ada.get("/v1/contexts")));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && refused.length <= 3, `${refused.length}`);
  const [{ headers, body }] = refused;
  assert.equal(body.code, "rate-limited");
  assert.equal(headers.get("retry-after"), "1");
  assert.equal((await ben.get("/v1/contexts")).status, 200);
});
