// Unsaved edits: others' saves do not disturb them, and nothing that leads elsewhere loses them.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { eventually, open, value } from "./stage.mjs";

let stage;
before(async () => (stage = await open({ lines: "" })));
after(() => stage?.close());
afterEach(() => stage.done());

// A project of its own for each test.
let project,
  count = 0;
beforeEach(async () => {
  project = `d${++count}`;
  if (count === 1) await stage.api.put("/v1/contexts/global/global", { data: { model: "small" } });
  const data = { colour: "red", size: 1, notes: ["first", "second"] };
  assert.equal((await stage.api.put(`/v1/contexts/project/${project}`, { data })).status, 201);
});

const stored = async () => (await stage.api.get(`/v1/contexts/project/${project}`)).body;

/** Somebody else saves. */
async function others(patch) {
  const headers = { "content-type": "application/merge-patch+json" };
  const { status, text } = await stage.api.patch(`/v1/contexts/project/${project}`, patch, headers);
  assert.equal(status, 200, text);
}

const layer = (page) => page.getByLabel("Data");
const saveButton = (page) => page.getByRole("button", { name: "Save", exact: true });
const caretIn = (field) => field.evaluate((one) => [one.selectionStart, one.selectionEnd]);
const putCaret = (field, at) => field.evaluate((one, at) => (one.focus(), one.setSelectionRange(at, at)), at);

test("somebody else's save leaves the caret and the form of a draft as they are", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  const field = layer(page);
  const draft = '{ "notes":   ["first","second"],\n\n      "size":  12,\t"colour": "red"}';
  await field.fill(draft);
  const at = draft.indexOf("2,\t");
  await putCaret(field, at);
  await others({ colour: "emerald", notes: ["first", "third", "second"], added: { deep: true } });
  const merged =
    '{ "added": {"deep":true}, "notes":   ["first", "third","second"],\n\n      "size":  12,\t"colour": "emerald"}';
  await eventually(async () => assert.equal(await field.inputValue(), merged));
  assert.equal(await field.evaluate((one) => one === document.activeElement), true);
  const now = merged.indexOf("2,\t");
  assert.deepEqual(await caretIn(field), [now, now]);
  await page.keyboard.type("3");
  await eventually(async () => assert.ok(await saveButton(page).isEnabled()));
  await saveButton(page).click();
  await eventually(async () => {
    const { data } = await stored();
    assert.deepEqual(data, {
      added: { deep: true },
      colour: "emerald",
      notes: ["first", "third", "second"],
      size: 132,
    });
  });
  await alice.close();
});

test("somebody else's save leaves the caret where it is in a layer that is only being read", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  const field = layer(page);
  const at = (await field.inputValue()).indexOf('"second"');
  await putCaret(field, at);
  await others({ colour: "emerald" });
  await eventually(async () => assert.match(await field.inputValue(), /emerald/));
  const now = (await field.inputValue()).indexOf('"second"');
  assert.deepEqual(await caretIn(field), [now, now]);
  assert.equal(await saveButton(page).count(), 0, "there is nothing to save");
  await alice.close();
});

test("somebody else's save waits beside a draft that is not JSON yet, and comes in once it is", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  const field = layer(page);
  const draft = '{\n  "colour": "red",\n  "size": ,\n  "notes": ["first", "second"]\n}';
  await field.fill(draft);
  const at = draft.indexOf(',\n  "notes');
  await putCaret(field, at);
  await others({ colour: "emerald" });
  await page.getByText("alice has saved version 2. It is taken in here as soon as this is JSON again.").waitFor();
  assert.equal(await field.inputValue(), draft);
  assert.deepEqual(await caretIn(field), [at, at]);
  await page.keyboard.type("4");
  await eventually(async () => {
    assert.equal(await field.inputValue(), draft.replace("red", "emerald").replace('"size": ', '"size": 4'));
  });
  await page.keyboard.type("2"); // at once, where the caret was
  assert.match(await field.inputValue(), /"size": 42,/);
  await alice.close();
});

test("a clash that others caused stays in sight when they save something else", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  const field = layer(page);
  await field.fill((await field.inputValue()).replace("red", "mine"));
  await others({ colour: "theirs" });
  const clash = page.getByRole("alert").filter({ hasText: "has written here too" });
  await clash.getByText("/colour").waitFor();
  await others({ size: 9 });
  await eventually(async () => assert.match(await field.inputValue(), /"colour": "mine"[\s\S]*"size": 9/));
  assert.equal(await clash.getByText("/colour").count(), 1);
  await alice.close();
});

/** What the tab keeps in its storage, the token aside. */
const keptBy = (page) =>
  page.evaluate(() =>
    Object.entries(sessionStorage)
      .filter(([name]) => name !== "nacre.token")
      .flat()
      .join(),
  );

test("a layer's draft survives a reload, and takes in what others saved meanwhile", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  const field = layer(page);
  await field.fill((await field.inputValue()).replace('"size": 1', '"size":   1234567890123456789'));
  await page.getByLabel("Why (for the history)").fill("half a thought");
  await others({ colour: "emerald" });
  await eventually(async () => assert.match(await field.inputValue(), /emerald/));
  await page.reload();
  await eventually(async () =>
    assert.match(await field.inputValue(), /"emerald"[\s\S]*"size": {3}1234567890123456789/),
  );
  assert.equal(await page.getByLabel("Why (for the history)").inputValue(), "half a thought");
  await page.locator(`[data-key="project/${project}"]`).getByText("draft").waitFor();
  assert.notEqual(await keptBy(page), "");
  assert.doesNotMatch(await keptBy(page), /1234567890123456789|emerald|half a thought/, "it is encrypted");
  await eventually(async () => assert.ok(await saveButton(page).isEnabled()));
  await saveButton(page).click();
  await saveButton(page).waitFor({ state: "detached" });
  assert.equal(await keptBy(page), "", "nothing of it is kept once it is saved");
  await alice.close();
});

test("an edit of a value survives a click on another one, and never goes into storage", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}`);
  await value(page, "/colour").click();
  await page.getByRole("button", { name: "Change" }).click();
  const field = page.getByLabel("New value");
  await field.fill("half a colour");
  await value(page, "/size").click();
  await field.waitFor({ state: "detached" });
  await value(page, "/colour").getByText("draft").waitFor();
  await value(page, "/colour").click();
  assert.equal(await field.inputValue(), "half a colour");
  await page.locator('[data-key="global/global"]').click();
  await page.locator(`[data-key="project/${project}"]`).getByText("draft").waitFor();
  await page.locator(`[data-key="project/${project}"]`).click();
  await value(page, "/colour").click();
  assert.equal(await field.inputValue(), "half a colour");
  assert.equal(await keptBy(page), "");
  const unload = () => page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
  assert.equal(await unload(), true, "the browser asks before the page closes");
  await saveButton(page).click();
  await saveButton(page).waitFor({ state: "detached" });
  await value(page, "/colour").getByText("draft").waitFor({ state: "detached" });
  await eventually(async () => assert.equal((await stored()).data.colour, "half a colour"));
  assert.equal(await unload(), false);
  await alice.close();
});

test("a value that others change while it is edited is shown beside the draft", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}`);
  await value(page, "/colour").click();
  await page.getByRole("button", { name: "Change" }).click();
  const field = page.getByLabel("New value");
  await field.fill("mine");
  await putCaret(field, 2);
  const notice = page.getByText("It has changed meanwhile");
  await others({ size: 2 });
  await value(page, "/size").getByText("2").waitFor();
  assert.equal(await notice.count(), 0, "another value is no matter");
  await others({ colour: "theirs" });
  await notice.getByText('"theirs"').waitFor();
  assert.deepEqual([await field.inputValue(), await caretIn(field)], ["mine", [2, 2]]);
  await saveButton(page).click();
  await eventually(async () => assert.equal((await stored()).data.colour, "mine"));
  await alice.close();
});

test("a value that others take out while it is edited is said to be gone", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}`);
  await value(page, "/colour").click();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("New value").fill("mine");
  await others({ colour: null });
  await page.getByText("It was taken out meanwhile. Saving sets it again.").waitFor();
  await page.getByText("It is no longer there.").waitFor();
  await saveButton(page).click();
  await eventually(async () => assert.equal((await stored()).data.colour, "mine"));
  await alice.close();
});

test("what is typed into a context that others delete can still be copied", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  await layer(page).fill('{ "thought": "half of one" }');
  assert.equal((await stage.api.delete(`/v1/contexts/project/${project}`)).status, 200);
  await page.getByText('{ "thought": "half of one" }').waitFor();
  await page.getByText("Not saved: layer").waitFor();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByText("Not saved: layer").waitFor({ state: "detached" });
  assert.equal(await keptBy(page), "");
  await alice.close();
});

test("a note that is half written survives a look at another tab", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/notes`);
  await page.getByLabel("What was learned").fill("it is");
  await page.getByRole("tab", { name: "View" }).click();
  await value(page, "/colour").waitFor();
  await page.getByRole("tab", { name: "Notes" }).click();
  assert.equal(await page.getByLabel("What was learned").inputValue(), "it is");
  await alice.close();
});

test("a filled dialog asks before it is discarded, whichever way it is left", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}`);
  await page.getByRole("button", { name: "New", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "A new context" });
  const question = page.getByRole("dialog", { name: "Discard what you have put in here?" });
  await dialog.getByLabel(/^Name/).fill("half");
  for (const leave of [
    () => page.keyboard.press("Escape"),
    () => dialog.getByRole("button", { name: "Close" }).click(),
    () => page.mouse.click(5, 5),
  ]) {
    await leave();
    await question.waitFor();
    await page.keyboard.press("Escape"); // answers the question only
    await question.waitFor({ state: "detached" });
    assert.equal(await dialog.getByLabel(/^Name/).inputValue(), "half");
  }
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Discard" }).click();
  await dialog.waitFor({ state: "detached" });
  // One that holds nothing closes at once.
  await page.getByRole("button", { name: "New", exact: true }).click();
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await alice.close();
});

test("signing out says which drafts it loses, and leaves none of them in storage", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}/layer`);
  await layer(page).fill('{ "password": "tulip-4471" }');
  await page.locator(`[data-key="project/${project}"]`).getByText("draft").waitFor();
  await page.getByRole("button", { name: "alice" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign out, and lose 1 draft" }).click();
  await page.getByLabel("Token").waitFor();
  assert.equal(await keptBy(page), "");
  await alice.close();
});
