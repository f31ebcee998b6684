// The search of a replica: what it finds is what the replica shows, in Node and in a page.

import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { setUp, token, until } from "./stage.mjs";

const stage = setUp({
  // Pages ask for the models here: as they are, one of them broken, or slowly.
  answer: (path) => (path === "/broken/vocab.txt" ? { body: "not the vocabulary" } : undefined),
});

let openSearch;
before(async () => {
  const folder = join(stage.files.folder, "package");
  ({ openSearch } = await import(pathToFileURL(join(folder, "search-node.js"))));
  // Models of which one is broken, and a folder without any.
  cpSync(join(folder, "models"), join(stage.files.folder, "broken"), { recursive: true });
  writeFileSync(join(stage.files.folder, "broken/expand-top16.bin"), "not the table");
});

const soon = () => ({ signal: AbortSignal.timeout(60_000) });
const TEXT = { models: false };

/** A user with a small shop, and its replica. */
async function shop(sub, more) {
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/global/global", { data: { style: "plain words" } });
  await api.put("/v1/contexts/project/shop", {
    data: { currency: "EUR", database: { pool: "connection pool of ten" } },
  });
  await api.put("/v1/contexts/branch/cart", { parent: "shop", data: { title: "The cart", owner: "Ada" } });
  await api.put("/v1/contexts/task/latency", {
    parent: "cart",
    data: { title: "Slow checkout", goal: "below 300 ms", api_key: "hidden-secret" },
  });
  const bearer = token({ sub }, stage.worker.secret);
  const replica = await stage.nacre.open({ url: stage.worker.url, token: bearer, storage: "memory", ...more });
  return { api, replica };
}

const names = ({ items }) => items.map(({ level, id }) => `${level}/${id}`);

test("words are found as the server's search finds them, with the place and the reason", async () => {
  const { replica } = await shop("search-words");
  const search = await openSearch(replica, TEXT);
  const found = await search.find({ q: "connection pools" });
  assert.deepEqual(names(found), ["project/shop"]);
  const [{ path, snippet, reasons }] = found.items;
  assert.equal(path, "/database/pool");
  assert.deepEqual(
    snippet.filter(({ found }) => found).map(({ text }) => text),
    ["connection", "pool"],
  );
  assert.deepEqual(
    reasons.words.map(({ word, field, pointer }) => [word, field, pointer]),
    [
      ["connection", "text", "/database/pool"],
      ["pools", "text", "/database/pool"],
    ],
  );
  assert.deepEqual([found.ranking, found.total_estimate, found.next_cursor], [["words"], 1, null]);
  // Sealed values are not there to be found; their names are.
  assert.deepEqual(names(await search.find({ q: "hidden secret" })), []);
  assert.deepEqual(names(await search.find({ q: "api key" })), ["task/latency"]);
  const [plain] = (await search.find({ q: "cart", explain: false })).items;
  assert.equal(plain.reasons, undefined);
  search.close();
  await replica.close();
});

test("vectors that a page gives rank beside words, until the data changes", async () => {
  const { replica } = await shop("search-vectors");
  const search = await openSearch(replica, TEXT);
  const [cart, latency] = [
    { level: "branch", id: "cart" },
    { level: "task", id: "latency" },
  ];
  await search.giveVector(cart, new Float32Array([1, 0, 0]));
  await search.giveVector(latency, new Float32Array([0.5, 0.5, 0]));
  const vector = new Float32Array([1, 0.1, 0]);
  const nearest = await search.find({ vector });
  assert.deepEqual(names(nearest), ["branch/cart", "task/latency"]);
  assert.deepEqual(nearest.ranking, ["embeddings"]);
  const mixed = await search.find({ q: "checkout", vector: [...vector] });
  assert.deepEqual([names(mixed)[0], mixed.ranking], ["task/latency", ["words", "embeddings"]]);

  const refused = (code) => (error) => error instanceof stage.nacre.NacreError && error.code === code;
  await assert.rejects(search.find({ vector: [1, 0] }), refused("invalid-request"));
  await assert.rejects(search.giveVector(cart, new Float32Array(2)), refused("invalid-request"));
  await assert.rejects(search.giveVector({ level: "task", id: "none" }, vector), refused("not-found"));

  // A note leaves the data as it is.
  await replica.addInsight("branch", "cart", { content: "tyres" });
  assert.deepEqual(names(await search.find({ vector })), ["branch/cart", "task/latency"]);
  await replica.update("branch", "cart", { title: "Another" });
  assert.deepEqual(names(await search.find({ vector })), ["task/latency"]);
  search.close();
  await replica.close();
});

test("filters hold, and errors are those of the HTTP API", async () => {
  const { replica } = await shop("search-filters");
  const search = await openSearch(replica, TEXT);
  const ask = async (question) => names(await search.find(question)).sort();
  assert.deepEqual(await ask({ levels: ["branch", "task"] }), ["branch/cart", "task/latency"]);
  assert.deepEqual(await ask({ under: { level: "branch", id: "cart" }, q: "cart checkout" }), [
    "branch/cart",
    "task/latency",
  ]);
  assert.deepEqual(await ask({ path: "/database" }), ["project/shop"]);
  assert.deepEqual(await ask({ since: 3 }), ["task/latency"]);
  assert.deepEqual(await ask({ since: new Date(Date.now() + 60_000) }), []);
  assert.equal((await ask({ by: "search-filters", levels: ["project"] })).length, 1);
  assert.deepEqual(await ask({ by: "nobody" }), []);
  for (const [question, code, pointer] of [
    [{ limit: 0 }, "invalid-request", "/limit"],
    [{ mode: "guess" }, "invalid-request", "/mode"],
    [{ levels: ["planet"] }, "invalid-id", "/levels"],
    [{ nonsense: 1 }, "invalid-request", "/nonsense"],
    [{ cursor: "x" }, "invalid-request", "/cursor"],
    [undefined, "invalid-request", undefined],
  ]) {
    await assert.rejects(search.find(question), (error) => {
      assert.ok(error instanceof stage.nacre.NacreError);
      assert.deepEqual([error.code, error.pointer], [code, pointer], JSON.stringify(question));
      return true;
    });
  }
  await assert.rejects(openSearch(replica, { model: false }), { code: "invalid-request" });
  await assert.rejects(openSearch({}), { code: "invalid-request" });
  search.close();
  await replica.close();
});

test("what is written offline is found by the next question, until it is discarded", async () => {
  const { replica } = await shop("search-offline");
  const search = await openSearch(replica, TEXT);
  replica.online = false;
  const edit = await replica.update("task", "latency", { cause: "a missing index" });
  assert.deepEqual(names(await search.find({ q: "missing index" })), ["task/latency"]);
  await replica.create("task", "refund", { parent: "cart", data: { goal: "refunds in a day" } });
  assert.deepEqual(names(await search.find({ q: "refunds" })), ["task/refund"]);
  const note = await replica.addInsight("branch", "cart", { content: "customers abandon baskets" });
  await replica.addProgress("branch", "cart", { content: "measured with flamegraphs" });
  const [noted] = (await search.find({ q: "baskets" })).items;
  assert.deepEqual([noted.id, noted.path, noted.reasons.words[0].field], ["cart", "", "note"]);
  assert.deepEqual(names(await search.find({ q: "flamegraphs" })), ["branch/cart"]);
  await replica.discard(edit);
  await replica.discard(note);
  assert.deepEqual(names(await search.find({ q: "missing index" })), []);
  assert.deepEqual(names(await search.find({ q: "baskets" })), []);
  await replica.remove("branch", "cart", { cascade: true });
  assert.deepEqual(names(await search.find({ q: "cart checkout refunds" })), []);
  await replica.restore("branch", "cart");
  assert.deepEqual(names(await search.find({ q: "checkout" })), ["task/latency"]);
  search.close();
  await replica.close();
});

test("what others write is found as soon as it is here, notes too, also when the copy is fetched anew", async () => {
  const { api, replica } = await shop("search-others");
  const search = await openSearch(replica, TEXT);
  const finds = (q, wanted) =>
    until(async () => JSON.stringify(names(await search.find({ q }))) === JSON.stringify(wanted), `${q} is not found`);
  await api.put("/v1/contexts/project/office", { data: { plants: "rubber tree" } });
  await finds("rubber tree", ["project/office"]);
  await api.post("/v1/contexts/project/office/insights", { content: "watered on Mondays" });
  await finds("mondays", ["project/office"]);
  await api.delete("/v1/contexts/project/office");
  await finds("rubber tree", []);
  // A note that no event tells of: the replica is away meanwhile, and what it missed comes at once.
  replica.online = false;
  await until(() => replica.status.state === "offline", "still online");
  await api.post("/v1/contexts/task/latency/progress", { content: "profiled the gateway" });
  replica.online = true;
  await finds("gateway", ["task/latency"]);
  search.close();
  await replica.close();
});

test("resolved views are searched: a layer stands for what is below it, and says where it is said", async () => {
  const { replica } = await shop("search-resolved");
  const search = await openSearch(replica, TEXT);
  const found = await search.find({ q: "connection", scope: "resolved" });
  assert.deepEqual(names(found), ["task/latency"]);
  assert.deepEqual(found.items[0].from, { level: "project", id: "shop" });
  await replica.update("branch", "cart", { database: { pool: "none" } });
  assert.deepEqual(names(await search.find({ q: "connection", scope: "resolved" })), []);
  search.close();
  await replica.close();
});

test("a cursor leads through all pages, and belongs to its question", async () => {
  const { replica } = await shop("search-pages");
  for (let n = 0; n < 25; n++) {
    await replica.create("task", `t${n}`, { parent: "cart", data: { text: `lantern ${"word ".repeat(n)}` } });
  }
  const search = await openSearch(replica, TEXT);
  const seen = [];
  let cursor;
  do {
    const page = await search.find({ q: "lantern", limit: 10, ...(cursor && { cursor }) });
    seen.push(...names(page));
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual([seen.length, new Set(seen).size], [25, 25]);
  const { next_cursor } = await search.find({ q: "lantern", limit: 1 });
  await assert.rejects(search.find({ q: "cart", cursor: next_cursor }), {
    code: "invalid-request",
    pointer: "/cursor",
  });
  search.close();
  await replica.close();
});

test("another user finds nothing of it, and a part of a store only the part and what is above", async () => {
  const { replica } = await shop("search-owner");
  const stranger = await shop("search-stranger");
  await replica.put("project", "secret", { data: { plan: "zeppelin" } });
  const [own, other] = [await openSearch(replica, TEXT), await openSearch(stranger.replica, TEXT)];
  assert.deepEqual(names(await own.find({ q: "zeppelin" })), ["project/secret"]);
  assert.deepEqual(names(await other.find({ q: "zeppelin" })), []);
  await replica.synced(soon());
  const bearer = token({ sub: "search-owner" }, stage.worker.secret);
  const under = { level: "branch", id: "cart" };
  const part = await stage.nacre.open({ url: stage.worker.url, token: bearer, storage: "memory", under });
  const search = await openSearch(part, TEXT);
  assert.equal(search.status.documents, 4);
  assert.deepEqual(names(await search.find({ q: "zeppelin" })), []);
  assert.deepEqual(names(await search.find({ q: "connection" })), ["project/shop"]);
  await Promise.all([part.close(), replica.close(), stranger.replica.close()]);
});

test("it closes with its replica, and then holds nothing", async () => {
  const { replica } = await shop("search-closed");
  const search = await openSearch(replica, TEXT);
  assert.deepEqual(search.status, { documents: 4, encoded: 0, models: "off" });
  await assert.rejects(search.encoded(), { code: "unavailable" });
  await replica.erase();
  assert.deepEqual(search.status, { documents: 0, encoded: 0, models: "off" });
  await assert.rejects(search.find({ q: "cart" }), { code: "closed" });
  await assert.rejects(openSearch(replica, TEXT), { code: "closed" });
  search.close();
});

test("models are loaded by the first question that needs them, and find what is said in other words", async () => {
  const { replica } = await shop("search-models");
  await replica.put("project", "garage", { data: { text: "repairing an automobile engine" } });
  await replica.put("project", "kitchen", { data: { text: "recipes for soup and bread" } });
  const search = await openSearch(replica);
  await search.find({ q: "car", mode: "text" });
  assert.equal(search.status.models, "unloaded");
  const before = await search.find({ q: "fixing a vehicle" });
  assert.deepEqual(before.ranking, ["words"]);
  assert.ok(!names(before).includes("project/garage"));
  await search.encoded(soon());
  assert.deepEqual(search.status, { documents: 6, encoded: 6, models: "ready" });
  const after = await search.find({ q: "fixing a vehicle" });
  assert.deepEqual(after.ranking, ["words", "terms", "vectors"]);
  assert.equal(names(after)[0], "project/garage");
  assert.ok(after.items[0].reasons.near > 0);
  // A change is found by its words at once, and by its meaning when there was time.
  await replica.update("project", "kitchen", { text: "the aeroplane departs" });
  assert.equal(names(await search.find({ q: "departs" }))[0], "project/kitchen");
  await search.encoded(soon());
  assert.equal(names(await search.find({ q: "flight of a plane", mode: "semantic" }))[0], "project/kitchen");
  search.close();
  await replica.close();
});

test("with a broken file of the models it is full text, and says so", async () => {
  const { replica } = await shop("search-broken");
  const models = pathToFileURL(join(stage.files.folder, "broken"));
  const search = await openSearch(replica, { models });
  await search.find({ q: "cart" });
  await assert.rejects(search.encoded(soon()), { code: "unavailable" });
  const found = await search.find({ q: "cart", mode: "semantic" });
  assert.deepEqual([names(found), found.ranking, search.status.models], [["branch/cart"], ["words"], "failed"]);
  search.close();
  await replica.close();
});

test("a page searches offline, and takes no model until it is asked to", async () => {
  const person = await stage.person();
  const page = await person.tab();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const said = await page.evaluate(async () => {
    const { openSearch } = await import("/package/search.js");
    const search = (globalThis.search = await openSearch(replica));
    replica.online = false;
    await replica.update("project", "p", { text: "an automobile engine" });
    return search.find({ q: "engines", mode: "text" });
  });
  assert.deepEqual(names(said), ["project/p"]);
  assert.deepEqual(
    asked.filter((path) => /wasm|models/.test(path)),
    ["/package/search_bg.wasm"],
  );
  const meant = await page.evaluate(async () => {
    await search.encoded();
    return search.find({ q: "vehicle" });
  });
  assert.deepEqual([names(meant)[0], meant.ranking], ["project/p", ["words", "terms", "vectors"]]);
  // One broken file: words.
  const broken = await page.evaluate(async () => {
    const { openSearch } = await import("/package/search.js");
    const search = await openSearch(replica, { models: "/broken" });
    const why = await search.encoded().catch(({ code }) => code);
    return [why, (await search.find({ q: "engine vehicle" })).ranking];
  });
  assert.deepEqual(broken, ["unavailable", ["words"]]);
  await page.evaluate(() => replica.close());
  assert.equal(await page.evaluate(() => search.find({ q: "engine" }).catch(({ code }) => code)), "closed");
  await person.context.close();
});

test("a page without vector instructions searches by words, with a module of its own", async () => {
  const prepare = () => {
    const { validate } = WebAssembly;
    WebAssembly.validate = (bytes) => bytes.byteLength !== 31 && validate(bytes);
  };
  const person = await stage.person({ prepare });
  const page = await person.tab();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const said = await page.evaluate(async () => {
    const { openSearch } = await import("/package/search.js");
    const search = await openSearch(replica);
    return [(await search.find({ q: "x" })).ranking, search.status.models];
  });
  assert.deepEqual(said, [["words"], "off"]);
  assert.deepEqual(
    asked.filter((path) => /wasm|models/.test(path)),
    ["/package/search_plain_bg.wasm"],
  );
  await person.context.close();
});
