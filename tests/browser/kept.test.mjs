// What contexts mean is kept in the replica's database: the next page does not encode it again, no
// secret gets there, and it goes with what it is about.

import assert from "node:assert/strict";
import { test } from "node:test";

import { setUp, until } from "./stage.mjs";

const stage = setUp();

/** Opens a search in a page, and waits until all is encoded. */
const openSearch = (page) =>
  page.evaluate(async () => {
    const { openSearch } = await import("/package/search.js");
    const search = (globalThis.search = await openSearch(replica));
    await search.encoded();
  });

/** Gives each page `entries`: what of the database is about meanings, after `act` has had its store. */
function prepare() {
  globalThis.entries = (act = () => {}) =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(replica.database);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const db = opening.result;
        const tx = db.transaction("entries", "readwrite");
        const store = tx.objectStore("entries");
        act(store);
        const range = IDBKeyRange.bound("j/meaning/", "j/meaning0");
        const [keys, values] = [store.getAllKeys(range), store.getAll(range)];
        tx.onabort = () => reject(tx.error);
        tx.oncomplete = () => {
          db.close();
          resolve(keys.result.map((key, at) => [key.slice(10), values.result[at]]));
        };
      };
    });
}
const someone = () => stage.person({ prepare });

/** The state and the meaning of each context that is kept, by its name. */
const kept = async (page) =>
  Object.fromEntries(
    await page.evaluate(async () =>
      (await entries()).map(([name, { state, meaning }]) => [name, [state, [...meaning].join()]]),
    ),
  );
const names = async (page) => Object.keys(await kept(page)).sort();
const ALL = ["global/global", "project/p"];
const holds = (page, wanted) =>
  until(
    async () => JSON.stringify(await names(page)) === JSON.stringify(wanted),
    `the database does not hold ${wanted}`,
  );

test("what was encoded on one page is there on the next one", async () => {
  const person = await someone();
  await person.api.put("/v1/contexts/project/garage", { data: { text: "repairing an automobile engine" } });
  await person.api.put("/v1/contexts/project/kitchen", { data: { text: "recipes for soup and bread" } });
  const page = await person.tab();
  await openSearch(page);
  await holds(page, ["global/global", "project/garage", "project/kitchen", "project/p"]);
  const first = await kept(page);
  // The proof that the next page takes it from there: what it takes is another context's.
  await page.evaluate(() =>
    entries((store) => {
      const [one, other] = ["kitchen", "garage"].map((id) => store.get(`j/meaning/project/${id}`));
      other.onsuccess = () => store.put({ ...one.result, meaning: other.result.meaning }, "j/meaning/project/kitchen");
    }),
  );
  await page.close();

  const next = await person.tab();
  await openSearch(next);
  const found = await next.evaluate(() => search.find({ q: "fixing a vehicle", mode: "semantic" }));
  assert.deepEqual(
    found.items
      .slice(0, 2)
      .map(({ id, reasons }) => [id, reasons.near])
      .sort(),
    [
      ["garage", found.items[0].reasons.near],
      ["kitchen", found.items[0].reasons.near],
    ],
    "both mean the same now",
  );
  // A change is encoded anew, and kept in its place.
  await next.evaluate(() => replica.update("project", "kitchen", { more: "and cake" }));
  await next.evaluate(async () => (await replica.synced(), search.encoded()));
  await until(async () => {
    const { "project/kitchen": now } = await kept(next);
    return now !== undefined && now[1] !== first["project/garage"][1];
  }, "the change is not kept");
  const better = await next.evaluate(() => search.find({ q: "fixing a vehicle", mode: "semantic" }));
  assert.equal(better.items[0].id, "garage");
  assert.ok(!better.items.some(({ id, reasons }) => id === "kitchen" && reasons.near === better.items[0].reasons.near));
  await person.context.close();
});

test("what waits to be sent is encoded and not kept, for it may hold a secret", async () => {
  const person = await someone();
  const page = await person.tab();
  await openSearch(page);
  await holds(page, ALL);
  const before = await kept(page);
  await page.evaluate(async () => {
    replica.online = false;
    await replica.update("project", "p", { door: "the code is swordfish" });
    await replica.create("project", "q", { data: { text: "swordfish again" } });
    await replica.addInsight("global", "global", { content: "swordfish is the word" });
    await search.encoded();
  });
  const [found] = (await page.evaluate(() => search.find({ q: "swordfish" }))).items;
  assert.ok(found, "it is found");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(await kept(page), before);
  await page.evaluate(async () => {
    replica.online = true;
    await replica.synced();
    await search.encoded();
  });
  await holds(page, [...ALL, "project/q"]);
  await until(async () => {
    const now = await kept(page);
    return ALL.every((name) => now[name][0] !== before[name][0] && now[name][1] !== before[name][1]);
  }, "it is not kept once it was sent");
  await person.context.close();
});

test("it goes with its context, also while nobody searched, and with the replica", async () => {
  const person = await someone();
  await person.api.put("/v1/contexts/project/q", { data: { text: "soup" } });
  await person.api.put("/v1/contexts/project/r", { data: { text: "bread" } });
  const page = await person.tab();
  await openSearch(page);
  await holds(page, [...ALL, "project/q", "project/r"]);
  await page.evaluate(() => replica.remove("project", "q").then(() => search.find({ q: "x", mode: "text" })));
  await holds(page, [...ALL, "project/r"]);
  await page.evaluate(() => replica.synced());
  await page.close();

  await person.api.delete("/v1/contexts/project/r");
  const next = await person.tab();
  await until(() => next.evaluate(() => !replica.has("project", "r")), "the deletion does not arrive");
  assert.deepEqual(await names(next), [...ALL, "project/r"]);
  await openSearch(next);
  await holds(next, ALL);
  const databases = () => next.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.equal((await databases()).length, 1);
  await next.evaluate(() => replica.erase());
  assert.deepEqual(await databases(), [], "no database is left, and none held the erasing up");
  await person.context.close();
});

test("a replica in memory keeps nothing, and a broken entry is encoded again", async () => {
  const person = await someone();
  const page = await person.tab();
  await openSearch(page);
  await holds(page, ALL);
  const good = await kept(page);
  await page.evaluate(() =>
    entries((store) => {
      const asked = store.get("j/meaning/project/p");
      asked.onsuccess = () => store.put({ ...asked.result, meaning: new Uint8Array([1, 2, 3]) }, "j/meaning/project/p");
    }),
  );
  await page.close();
  const next = await person.tab();
  await openSearch(next);
  await until(async () => (await kept(next))["project/p"]?.[1] === good["project/p"][1], "it is not encoded again");

  const apart = await someone();
  const other = await apart.tab();
  const left = await other.evaluate(
    async ([url, token]) => {
      await replica.erase();
      const { open } = await import("/package/index.js");
      globalThis.replica = await open({ url, token, storage: "memory" });
      const { openSearch } = await import("/package/search.js");
      await (await openSearch(replica)).encoded();
      return [replica.database, (await indexedDB.databases()).length];
    },
    [stage.worker.url, apart.bearer],
  );
  assert.deepEqual(left, [null, 0]);
  await person.context.close();
  await apart.context.close();
});
