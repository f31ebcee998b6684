// Searches of a store over HTTP: what is found, what is said of it, and what is left out.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";

let worker;
before(async () => {
  worker = await start();
});
after(() => worker?.stop());

const MERGE = { "content-type": "application/merge-patch+json" };

const put = async (api, path, data, parent) => {
  const answer = await api.put(`/v1/contexts/${path}`, { data, ...(parent && { parent }) });
  assert.ok(answer.status < 300, answer.text);
};
const ids = (answer) => {
  assert.equal(answer.status, 200, answer.text);
  return answer.body.items.map(({ id }) => id);
};

test("a write is found by the next search, in words and by its field", async () => {
  const ada = worker.api("ada");
  await put(ada, "global/global", { style: "short sentences" });
  await put(ada, "project/shop", { title: "Web shop", database: { host: "db.example", pool: { size: 20 } } });
  await put(ada, "branch/main", { notes: "refreshToken is renewed every hour" }, "shop");
  await put(ada, "task/fix-1", { title: "Fix connection timeouts", log: "the pool is exhausted" }, "main");
  assert.deepEqual(ids(await ada.get("/v1/search?q=connections")), ["fix-1"]);
  const [hit] = (await ada.get("/v1/search?q=refresh%20token&mode=text")).body.items;
  assert.equal(hit.id, "main");
  assert.equal(hit.path, "/notes");
  assert.equal(
    hit.snippet.map(({ found, text }) => (found ? `[${text}]` : text)).join(""),
    "[refresh][Token] is renewed every hour",
  );
  assert.ok(hit.reasons.words.some(({ word, field }) => word === "refresh" && field === "text"));

  const patched = await ada.patch("/v1/contexts/task/fix-1", { log: "the certificate has expired" }, MERGE);
  assert.equal(patched.status, 200, patched.text);
  assert.deepEqual(ids(await ada.get("/v1/search?q=exhausted&mode=text")), []);
  assert.deepEqual(ids(await ada.get("/v1/search?q=certificate&mode=text")), ["fix-1"]);
  await ada.post("/v1/contexts/task/fix-1/insights", { content: "rotate the keystore" });
  assert.deepEqual(ids(await ada.get("/v1/search?q=keystore&mode=text")), ["fix-1"]);
  await ada.delete("/v1/contexts/task/fix-1");
  assert.deepEqual(ids(await ada.get("/v1/search?q=certificate&mode=text")), []);
});

test("a body asks the same as a query", async () => {
  const bob = worker.api("bob");
  await put(bob, "project/p", { title: "Payments" });
  await put(bob, "project/q", { title: "Payment of rent" });
  const asked = await bob.get("/v1/search?q=payment&levels=project&limit=1&mode=text");
  const posted = await bob.post("/v1/search", { q: "payment", levels: ["project"], limit: 1, mode: "text" });
  assert.equal(asked.text, posted.text);
  const next = await bob.get(`/v1/search?q=payment&levels=project&limit=1&mode=text&cursor=${asked.body.next_cursor}`);
  assert.deepEqual(new Set([...ids(asked), ...ids(next)]), new Set(["p", "q"]));
  assert.equal(next.body.next_cursor, null);
  assert.equal((await bob.post("/v1/search", { q: "payment", nonsense: 1 })).status, 400);
  assert.equal((await bob.get("/v1/search?q=x&cursor=nonsense")).status, 400);
});

test("what is asked about the future is refused, and names the newest commit", async () => {
  const fay = worker.api("fay");
  await put(fay, "project/p", { title: "zebra" });
  await put(fay, "project/q", { title: "zebra" });
  assert.deepEqual(ids(await fay.get("/v1/search?q=zebra&since=1")), ["q"]);
  assert.deepEqual(ids(await fay.get("/v1/search?q=zebra&since=2")), []);
  const soon = new Date(Date.now() + 600_000).toISOString();
  for (const since of ["3", soon]) {
    const answer = await fay.get(`/v1/search?q=zebra&since=${since}`);
    assert.deepEqual([answer.status, answer.body.code], [400, "invalid-request"], since);
    assert.match(answer.body.detail, /`since`.*the newest is 2/);
  }
  const answer = await fay.post("/v1/search", { q: "zebra", since: 3 });
  assert.deepEqual([answer.status, answer.body.pointer], [400, "/since"], answer.text);
});

test("meaning finds what no word does", async () => {
  const eve = worker.api("eve");
  await put(eve, "project/p", {});
  await put(eve, "branch/b", {}, "p");
  await put(eve, "task/cars", { text: "The automobile needs a new engine and four wheels." }, "b");
  await put(eve, "task/bread", { text: "Flour, water, salt and yeast; bake for forty minutes." }, "b");
  const answer = await until(
    () => eve.get("/v1/search?q=vehicle%20repair"),
    ({ body }) => body.ranking.includes("vectors"),
  );
  assert.equal(answer.body.items[0].id, "cars", answer.text);
  assert.ok(answer.body.items[0].reasons.near > 0.1);
});

test("a guest finds what is shared, and a stranger nothing", async () => {
  const owner = worker.api("otto");
  await put(owner, "project/shared", { title: "Lighthouse" });
  await put(owner, "project/hidden", { title: "Lighthouse too" });
  await owner.put("/v1/members/gina", { project: "shared", role: "reader" });
  const headers = { "nacre-owner": "otto" };
  assert.deepEqual(ids(await worker.api("gina").get("/v1/search?q=lighthouse", headers)), ["shared"]);
  assert.equal((await worker.api("sven").get("/v1/search?q=lighthouse", headers)).status, 404);
});

test("sealed values are neither found nor shown", async () => {
  const mia = worker.api("mia");
  await put(mia, "project/p", { api_key: "tangerine", user: "plum" });
  assert.deepEqual(ids(await mia.get("/v1/search?q=tangerine&mode=text")), []);
  const answer = await mia.get("/v1/search?q=plum%20api&mode=text");
  assert.deepEqual(ids(answer), ["p"]);
  assert.ok(!answer.text.includes("tangerine"));
});

/** Asks again until the answer is right; the last answer. */
async function until(ask, isRight) {
  for (let left = 100; ; left -= 1) {
    const answer = await ask();
    if (isRight(answer) || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("contexts are found by vectors that their owner gives, until they change", async () => {
  const vera = worker.api("vera");
  await put(vera, "project/cars", { title: "Cars" });
  await put(vera, "project/food", { title: "Soup" });
  await put(vera, "project/logs", { title: "Files" });
  const give = (id, body) => vera.put(`/v1/contexts/project/${id}/vector`, body);
  const find = (question) => vera.post("/v1/search", { mode: "semantic", levels: ["project"], ...question });
  assert.equal((await give("cars", { vector: [1, 0], version: 1 })).status, 204);
  assert.equal((await give("food", { vector: [1, 0.5] })).status, 204);
  const nearest = await find({ vector: [1, 0] });
  assert.deepEqual(ids(nearest), ["cars", "food"]);
  assert.deepEqual(nearest.body.ranking, ["embeddings"]);
  assert.equal(nearest.body.items[0].reasons.near, 1);
  const mixed = await find({ mode: "hybrid", q: "files", vector: [1, 0] });
  assert.equal(ids(mixed)[0], "logs");
  assert.ok(mixed.body.ranking.includes("embeddings") && mixed.body.ranking.includes("words"));

  for (const [body, status, code] of [
    [{ vector: [1, 0, 0] }, 400, "invalid-request"],
    [{ vector: [] }, 400, "invalid-request"],
    [{}, 400, "invalid-request"],
    [{ vector: [1, 0], version: 7 }, 412, "version-conflict"],
  ]) {
    const refused = await give("logs", body);
    assert.deepEqual([refused.status, refused.body.code], [status, code], JSON.stringify(body));
  }
  assert.equal((await find({ vector: [1] })).status, 400);
  assert.equal((await give("none", { vector: [1, 0] })).status, 404);
  const theirs = { "nacre-owner": "vera" };
  const guest = await worker.api("gus").put("/v1/contexts/project/cars/vector", { vector: [1, 0] }, theirs);
  assert.equal(guest.status, 404);

  // The rows have them, also when the object begins anew and the documents are made behind the writes.
  await vera.post("/v1/contexts/project/cars/insights", { content: "tyres" });
  await worker.evict("vera");
  assert.deepEqual(ids(await find({ vector: [1, 0] })), ["cars", "food"]);
  await put(vera, "project/cars", { title: "Bicycles" });
  assert.deepEqual(ids(await find({ vector: [1, 0] })), ["food"]);
  assert.equal((await give("food", { vector: null })).status, 204);
  const none = await find({ vector: [1, 0, 0], q: "soup" });
  assert.deepEqual(ids(none)[0], "food");
  assert.ok(!none.body.ranking.includes("embeddings"), JSON.stringify(none.body.ranking));
});
