// What a token may do decides which controls show.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { eventually, open, value, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

const person = (scope) => stage.person({ reducedMotion: "reduce" }, "alice", stage.worker.url, { scope });
const WRITING = /^(New|Import|Restore|Move|Delete|Change|Set here|Hide here|Take out|Save|Discard|Add|Bring version)/;
const writing = (page) => page.locator("#page").getByRole("button", { name: WRITING });

test("a token that only reads gets no controls that write, and is told why", async () => {
  await stage.api.patch(
    "/v1/contexts/task/synonyms",
    { goal: "all" },
    { "content-type": "application/merge-patch+json" },
  );
  const reader = await person("openid contexts:read");
  const page = await reader.tab("#/task/synonyms");
  const reason = "Your token may read, but not write: it lacks the scope contexts:write.";
  const look = async (what) => {
    assert.deepEqual(await writing(page).allInnerTexts(), [], what);
    assert.deepEqual(await violations(page), [], what);
  };
  await value(page, "/goal").click();
  await page.getByRole("complementary").getByText(reason).waitFor();
  await page.getByRole("navigation", { name: "Contexts" }).getByText(reason).waitFor();
  await look("the view");
  await page.getByRole("tab", { name: "Layer" }).click();
  await page.getByRole("tabpanel").getByText(reason).waitFor();
  assert.equal(await page.getByLabel("Data").isEditable(), false);
  await look("the layer");
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByRole("slider").waitFor();
  await page.getByText("This layer").click();
  await page.getByRole("slider").press("Home");
  await page
    .getByText(/synonyms\s*v1/)
    .first()
    .waitFor();
  await look("history");
  await page.getByRole("tab", { name: "Notes" }).click();
  await page.getByRole("tabpanel").getByText(reason).waitFor();
  assert.equal(await page.getByLabel("What was learned").count(), 0);
  await look("notes");
  // A file that is dropped neither opens a dialog nor takes the place of the page.
  const left = await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["{}"], "one.json"));
    const event = (type) => new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event("dragover"));
    return document.body.dispatchEvent(event("drop"));
  });
  assert.equal(left, false, "the browser does not open it");
  assert.equal(await page.getByRole("dialog").count(), 0);
  await reader.close();
});

for (const scope of [undefined, "contexts:read contexts:write", "admin"]) {
  test(`a token that writes gets them: ${scope ?? "no scope claim"}`, async () => {
    const writer = await person(scope);
    const page = await writer.tab("#/task/synonyms");
    await value(page, "/goal").click();
    await page.getByRole("button", { name: "Change" }).waitFor();
    await eventually(async () =>
      assert.deepEqual(await writing(page).allInnerTexts(), [
        "New",
        "Import",
        "Restore",
        "Move",
        "Delete",
        "Change",
        "Take out of this layer",
      ]),
    );
    await writer.close();
  });
}

for (const scp of ["openid contexts:read", ["contexts:read"]]) {
  test(`a token that only reads may say so by scp: ${JSON.stringify(scp)}`, async () => {
    const reader = await stage.person({}, "alice", stage.worker.url, { scp });
    const page = await reader.tab("#/task/synonyms");
    await page.locator("#contexts").getByText("Your token may read, but not write").waitFor();
    assert.deepEqual(await writing(page).allInnerTexts(), []);
    await reader.close();
  });
}

test("a reader of a store that holds nothing is not asked to write", async () => {
  const reader = await stage.person({}, "carol", stage.worker.url, { scope: "contexts:read" });
  const page = await reader.tab();
  await page.getByText("Nothing is stored yet.", { exact: true }).waitFor();
  assert.deepEqual(await page.getByRole("button", { name: /^(Make|Import)/ }).allInnerTexts(), []);
  await reader.close();
});
