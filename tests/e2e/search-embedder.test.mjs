// Searches with an embedding model of the deployment, the binding `AI`: what it is asked, what it is
// trusted with, and what a search answers where the model does not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { start } from "./harness.mjs";

const BUDGET_MILLIS = 1000;

// What the model was asked since the test began, and how it answers.
let asked = [];
let fault = "none";
const told = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  asked.push(JSON.parse(body));
  response.end(fault);
});

/**
 * A model with one dimension for each of two things, whatever the language: enough to see whose vectors
 * are compared. It is a Worker, which answers calls as the platform's binding does.
 */
const MODEL = (url) => `
  import { WorkerEntrypoint } from "cloudflare:workers";
  const THINGS = [/鲸|whale/iu, /灯塔|lighthouse/iu];
  export default class extends WorkerEntrypoint {
    async run(model, { text }) {
      const fault = await (await fetch("${url}", { method: "POST", body: JSON.stringify({ model, text }) })).text();
      if (fault === "throw") throw new Error("no capacity");
      if (fault === "late") await new Promise((resolve) => setTimeout(resolve, ${3 * BUDGET_MILLIS}));
      if (fault === "shape") return { data: "nonsense" };
      const size = fault === "size" ? 3 : 2;
      const vector = (one) => Array.from({ length: size }, (_, at) => (THINGS[at]?.test(one) ? 1 : 0.01));
      return { shape: [text.length, size], data: text.map(vector) };
    }
  }`;

let worker;
before(async () => {
  told.listen(0, "127.0.0.1");
  await once(told, "listening");
  const script = MODEL(`http://127.0.0.1:${told.address().port}`);
  worker = await start({
    vars: { NACRE_EMBEDDING_MODEL: "a/model", NACRE_EMBEDDING_BUDGET_MS: `${BUDGET_MILLIS}` },
    bindings: { serviceBindings: { AI: "model" } },
    others: [{ name: "model", modules: true, script, compatibilityDate: "2026-11-01" }],
  });
});
after(async () => {
  await worker?.stop();
  told.close();
});
beforeEach(() => {
  [asked, fault] = [[], "none"];
});

const put = async (api, path, data) => {
  const answer = await api.put(`/v1/contexts/${path}`, { data });
  assert.ok(answer.status < 300, answer.text);
};
const find = async (api, q, more = "") => {
  const answer = await api.get(`/v1/search?q=${encodeURIComponent(q)}${more}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
};
const ids = ({ items }) => items.map(({ id }) => id);
const texts = () => asked.flatMap(({ text }) => text);

/** Asks again until the answer is right, for ten seconds at most; the last answer. */
async function until(ask, isRight) {
  for (let left = 100; ; left -= 1) {
    const answer = await ask();
    if (isRight(answer) || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A store whose documents have their vectors. */
async function filled(name) {
  const api = worker.api(name);
  await put(api, "project/sea", { title: "鲸鱼的歌声", api_key: "sk-not-for-models" });
  await put(api, "project/coast", { title: "灯塔看守人" });
  const body = await until(
    () => find(api, "whale"),
    ({ ranking, items }) => ranking.includes("dense") && items.every(({ reasons }) => reasons.near !== null),
  );
  assert.ok(body.ranking.includes("dense"), JSON.stringify(body));
  return api;
}

test("the model finds what is said in another language", async () => {
  const ada = await filled("ada");
  const body = await find(ada, "whale");
  assert.equal(ids(body)[0], "sea");
  assert.ok(!body.ranking.includes("vectors"), "in the place of the table's vectors");
  assert.ok(body.items[0].reasons.near > 0.9);
  assert.equal(ids(await find(ada, "lighthouse", "&mode=semantic"))[0], "coast");
  assert.deepEqual(new Set(asked.map(({ model }) => model)), new Set(["a/model"]));
});

test("the model is told no secret, and of no question that it cannot help with", async () => {
  const bob = await filled("bob");
  assert.ok(
    texts().some((text) => text.includes("鲸鱼")),
    "documents are sent",
  );
  assert.ok(!texts().join().includes("sk-not-for-models"), "a sealed value is not");
  asked = [];
  await find(bob, "whale", "&mode=text");
  await find(bob, "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB");
  assert.deepEqual(texts(), []);
  await find(bob, "whale");
  assert.deepEqual(texts(), ["whale"], "a question is sent once, alone");
});

test("what is written while the model fails is found, and gets its vector later", async () => {
  const eve = await filled("eve");
  fault = "throw";
  await put(eve, "project/deep", { title: "另一头鲸" });
  assert.equal(ids(await find(eve, "另一头"))[0], "deep");
  await until(
    () => Promise.resolve(texts()),
    (sent) => sent.includes("另一头鲸"),
  );
  fault = "none";
  await worker.evict("eve"); // otherwise the model is spared for a minute
  const body = await until(
    () => find(eve, "whale"),
    ({ items }) => items.find(({ id }) => id === "deep")?.reasons.near > 0.9,
  );
  assert.deepEqual(new Set(ids(body).slice(0, 2)), new Set(["sea", "deep"]), JSON.stringify(body));
});

for (const [kind, what] of [
  ["throw", "fails"],
  ["late", "is late"],
  ["shape", "answers nonsense"],
  ["size", "answers with other dimensions"],
]) {
  test(`a model that ${what} leaves the question to the other rankers, and is spared for a moment`, async () => {
    const api = await filled(`fay-${kind}`);
    fault = kind;
    asked = [];
    const body = await find(api, "看守人");
    assert.equal(ids(body)[0], "coast");
    assert.deepEqual([body.degraded, body.ranking.includes("dense")], [true, false], JSON.stringify(body));
    await find(api, "看守人");
    assert.equal(asked.length, 1, "it is not asked again at once");
    fault = "none";
    const again = await until(
      () => find(api, "whale"),
      ({ ranking }) => ranking.includes("dense"),
    );
    assert.equal(ids(again)[0], "sea");
  });
}

test("another model makes all vectors anew", async () => {
  const gil = await filled("gil");
  await worker.restart({ NACRE_EMBEDDING_MODEL: "another/model" });
  asked = [];
  const api = worker.api("gil");
  const body = await until(
    () => find(api, "whale"),
    ({ ranking }) => ranking.includes("dense"),
  );
  assert.equal(ids(body)[0], "sea");
  assert.deepEqual(new Set(asked.map(({ model }) => model)), new Set(["another/model"]));
  assert.ok(
    texts().some((text) => text.includes("鲸鱼")),
    "documents are sent to it",
  );
  assert.ok(gil);
});
