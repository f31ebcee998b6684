// Rooms that few go to, each with a file of its own: moving a context, its notes, and bringing back
// what was deleted before this device knew of it.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { eventually, open, value, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

test("what is not needed at first comes when it is", async () => {
  const alice = await stage.person({ serviceWorkers: "block" });
  const page = await alice.tab("#/task/synonyms");
  const loaded = () =>
    page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => /assets\/([\w-]+)-/.exec(name)?.[1]),
    );
  await value(page, "/goal").waitFor();
  const rooms = [
    "inspector",
    "layer",
    "history",
    "notes",
    "move",
    "create",
    "import",
    "conflicts",
    "queue",
    "refused",
    "search",
    "user",
  ];
  assert.deepEqual(
    (await loaded()).filter((name) => rooms.includes(name)),
    [],
  );
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByRole("slider").waitFor();
  assert.ok((await loaded()).includes("history"));
  await alice.close();
});

test("a context moves to another parent; what that changes is told before, and so is why it cannot", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/task/synonyms");
  await value(page, "/services").waitFor();
  await page.getByRole("button", { name: "Move" }).click();
  const dialog = page.getByRole("dialog", { name: "Move task synonyms" });
  const move = dialog.getByRole("button", { name: "Move" });
  assert.equal(await move.isDisabled(), true);
  const parents = dialog.getByLabel("To which branch");
  assert.deepEqual(await parents.locator("option").allInnerTexts(), ["Choose one", "shop.checkout"]);

  // One that is deleted while it is chosen.
  assert.equal((await stage.api.put("/v1/contexts/branch/shop.gone", { parent: "shop", data: {} })).status, 201);
  await parents.selectOption("shop.gone");
  const preview = dialog.getByRole("region", { name: "What this changes" });
  await preview.waitFor();
  await eventually(async () => assert.equal(await move.isDisabled(), false));
  assert.equal((await stage.api.delete("/v1/contexts/branch/shop.gone")).status, 200);
  await dialog.getByRole("alert").getByText("parent-not-found").waitFor();
  assert.equal(await move.isDisabled(), true);

  await parents.selectOption("shop.checkout");
  await preview.getByText("1 view changes").waitFor();
  assert.match(await preview.innerText(), /task\s*synonyms[\s\S]*no new cookies/);
  assert.deepEqual(await violations(page), []);
  await move.click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("navigation", { name: "Chain of layers" }).getByText("shop.checkout").waitFor();
  await value(page, "/guidelines/3").getByText("no new cookies").waitFor();
  await eventually(async () =>
    assert.equal((await stage.api.get("/v1/contexts/task/synonyms")).body.parent, "shop.checkout"),
  );

  await page.evaluate(() => (location.hash = "#/project/shop"));
  await page.getByRole("heading", { name: "shop", exact: true }).waitFor();
  await page.getByRole("button", { name: "Move" }).waitFor({ state: "detached" }); // its parent is global
  await alice.close();
});

test("insights and progress are read and added", async () => {
  const url = "/v1/contexts/task/cart-latency";
  await stage.api.post(`${url}/insights`, {
    content: "totals are read 40 times per write",
    importance: 0.8,
    agent: "profiler",
  });
  const alice = await stage.person();
  const page = await alice.tab("#/task/cart-latency/notes");
  const insights = page.getByRole("list", { name: "Insights, newest first" }).getByRole("listitem");
  await insights.getByText("importance 0.8 · profiler · by alice").waitFor();
  await page.getByLabel("What was learned").fill("the cache is cold\nafter each deploy");
  await page.getByLabel("Category").fill("cache");
  await page.getByLabel("Importance").fill("0.5");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Add" }).click();
  await eventually(async () =>
    assert.match(
      await insights.first().innerText(),
      /the cache is cold\nafter each deploy\s+cache · importance 0.5 · by alice/,
    ),
  );
  await eventually(async () => {
    const { items } = (await stage.api.get(`${url}/insights`)).body;
    assert.deepEqual([items.length, items[0].category, items[0].importance], [2, "cache", 0.5]);
  });
  assert.equal(await insights.count(), 2, "it is there once, sent or not");

  await page.getByText("Progress", { exact: true }).click();
  await page.getByText("No progress was noted yet").waitFor();
  await page.getByLabel("How far it is").fill("half of it");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("list", { name: "Progress, newest first" }).getByText("half of it").waitFor();
  await eventually(async () =>
    assert.equal((await stage.api.get(`${url}/progress`)).body.items[0].content, "half of it"),
  );
  await alice.close();
});

test("what was deleted before this device knew of it is listed, and comes back", async () => {
  assert.equal((await stage.api.put("/v1/contexts/project/old", { data: { note: "kept" } })).status, 201);
  assert.equal((await stage.api.put("/v1/contexts/branch/old.part", { parent: "old", data: { n: 1 } })).status, 201);
  assert.equal((await stage.api.delete("/v1/contexts/project/old?cascade=true")).status, 200);
  const alice = await stage.person();
  const page = await alice.tab();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Restore what was deleted" });
  await dialog.getByText("and 1 below it").waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Restore project old" }).click();
  await page.locator('[data-key="branch/old.part"]').waitFor();
  await value(page, "/note").getByText("kept").waitFor();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await dialog.getByText("Asking the server").waitFor({ state: "detached" });
  await dialog.getByRole("button", { name: "Restore project old" }).waitFor({ state: "detached" });
  await alice.close();
});
