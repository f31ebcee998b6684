// Several tabs and devices: changes show everywhere at once, work goes on without a network, and
// what was changed on both sides comes up for a decision.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { counted, eventually, open, value, wireTo } from "./stage.mjs";

let stage;
before(async () => (stage = await open({ lines: "" })));
after(() => stage?.close());
afterEach(() => stage.done());

// A project of its own for each test.
let project,
  count = 0;
beforeEach(async () => {
  project = `p${++count}`;
  if (count === 1) await stage.api.put("/v1/contexts/global/global", { data: { model: "small" } });
  const data = { colour: "red", size: 1, notes: ["first"] };
  assert.equal((await stage.api.put(`/v1/contexts/project/${project}`, { data })).status, 201);
});

const stored = async () => (await stage.api.get(`/v1/contexts/project/${project}`)).body;

/** Changes a value by hand, in the card beside the document. */
async function change(page, pointer, text) {
  await page.bringToFront(); // a tab behind another one is drawn late
  await value(page, pointer).click();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("New value").fill(text);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Save", exact: true }).waitFor({ state: "detached" });
}

const online = (page) => page.getByRole("switch", { name: "Online" });

test("an edit reaches the server, a second tab and a second device", async () => {
  const [laptop, phone] = [await stage.person(), await stage.person()];
  const at = `#/project/${project}`;
  const [here, tab, there] = [await laptop.tab(at), await laptop.tab(at), await phone.tab(at)];
  for (const page of [here, tab, there]) await value(page, "/colour").getByText("red").waitFor();
  await change(here, "/colour", "blue");
  for (const page of [here, tab, there]) await value(page, "/colour").getByText("blue").waitFor();
  await there.locator(`[data-key="project/${project}"] .stir`).waitFor();
  await eventually(async () => assert.equal((await stored()).data.colour, "blue"));
  assert.equal((await stored()).version, 2, "two tabs send it once");
  await counted(here, "Queue", 0).waitFor();
  await Promise.all([laptop.close(), phone.close()]);
});

test("a layer is edited as text, while others edit it too", async () => {
  const [laptop, phone] = [await stage.person(), await stage.person()];
  const here = await laptop.tab(`#/project/${project}/layer`);
  const there = await phone.tab(`#/project/${project}`);
  const data = here.getByLabel("Data");
  await data.fill((await data.inputValue()).replace('"size": 1', '"size": 2'));
  await change(there, "/colour", "green");
  await eventually(async () => assert.match(await data.inputValue(), /"colour": "green"[\s\S]*"size": 2/));
  await here.getByLabel("Why (for the history)").fill("it grew");
  await here.getByRole("button", { name: "Save", exact: true }).click();
  await eventually(async () => {
    const { data } = await stored();
    assert.deepEqual([data.colour, data.size], ["green", 2]);
  });
  const { body } = await stage.api.get(`/v1/contexts/project/${project}/history?limit=1`);
  assert.equal(body.items[0].summary, "it grew");
  await Promise.all([laptop.close(), phone.close()]);
});

test("a draft is still there after a look elsewhere, and what others wrote meanwhile is taken in", async () => {
  const laptop = await stage.person();
  const page = await laptop.tab(`#/project/${project}/layer`);
  const data = page.getByLabel("Data");
  await data.fill((await data.inputValue()).replace('"size": 1', '"size": 5'));
  await page.getByLabel("Why (for the history)").fill("half a thought");
  await page.getByRole("tab", { name: "View" }).click();
  await value(page, "/size").getByText("1").waitFor();
  await page.locator('[data-key="global/global"]').click();
  const merge = { "content-type": "application/merge-patch+json" };
  await stage.api.patch(`/v1/contexts/project/${project}`, { colour: "green" }, merge);
  await page.locator(`[data-key="project/${project}"]`).click();
  await value(page, "/colour").getByText("green").waitFor();
  await page.getByRole("tab", { name: "Layer" }).click();
  await eventually(async () => assert.match(await data.inputValue(), /"colour": "green"[\s\S]*"size": 5/));
  assert.equal(await page.getByLabel("Why (for the history)").inputValue(), "half a thought");
  const unload = () => page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
  assert.equal(await unload(), true, "the browser asks before the draft is lost");
  await page.getByRole("button", { name: "Discard" }).click();
  await eventually(async () => assert.equal(await unload(), false));
  await page.getByRole("tab", { name: "View" }).click();
  await page.getByRole("tab", { name: "Layer" }).click();
  assert.match(await data.inputValue(), /"size": 1/);
  await laptop.close();
});

test("what is saved here is not taken for somebody else's, and Enter after the reason saves", async () => {
  const laptop = await stage.person();
  const page = await laptop.tab(`#/project/${project}/layer`);
  await online(page).click();
  const data = page.getByLabel("Data");
  const why = page.getByLabel("Why (for the history)");
  for (const [colour, said] of [
    ["blue", "Saved on this device"],
    ["grey", "Saved on this device"],
  ]) {
    await data.fill((await data.inputValue()).replace(/"colour": "\w+"/, `"colour": "${colour}"`));
    await eventually(async () => assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isEnabled()));
    await why.fill(`it is ${colour}`);
    await why.press("Enter"); // at once: a reason changes nothing of what is previewed
    await why.waitFor({ state: "detached" });
    await page.locator(".said", { hasText: said }).waitFor();
  }
  await online(page).click();
  await counted(page, "Queue", 0).waitFor();
  const { body } = await stage.api.get(`/v1/contexts/project/${project}/history?limit=2`);
  assert.deepEqual(
    body.items.map(({ summary }) => summary),
    ["it is grey", "it is blue"],
  );
  await laptop.close();
});

test("work goes on without a network, over a reload too, and nothing of it is lost", async () => {
  const wire = await wireTo(stage.worker.url);
  const laptop = await stage.person({}, "alice", wire.url);
  const page = await laptop.tab(`#/project/${project}`);
  await eventually(async () => {
    assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null));
  });
  wire.pull();
  await page.getByText("Unreachable").waitFor();
  await change(page, "/colour", "violet");
  await value(page, "/colour").getByText("violet").waitFor();
  await counted(page, "Queue", 1).click();
  await page.getByRole("dialog").getByText("update").waitFor();
  await page.keyboard.press("Escape");

  await page.reload();
  await value(page, "/colour").getByText("violet").waitFor();
  await counted(page, "Queue", 1).waitFor();
  await page.locator(`[data-key="project/${project}"] .pending`).waitFor();
  assert.equal((await stored()).data.colour, "red");
  await page.getByRole("tab", { name: "History" }).click(); // kept here too, though never shown before
  await page.getByRole("slider").waitFor();

  wire.mend();
  await counted(page, "Queue", 0).waitFor({ timeout: 40_000 });
  await page.getByText("Up to date").waitFor({ timeout: 40_000 });
  assert.deepEqual([(await stored()).data.colour, (await stored()).version], ["violet", 2]);
  await laptop.close();
  wire.close();
});

test("the switch keeps writes here until it is turned back; other values of others merge", async () => {
  const [laptop, phone] = [await stage.person(), await stage.person()];
  const here = await laptop.tab(`#/project/${project}`);
  await online(here).click();
  await here.getByText("Offline").first().waitFor();
  await change(here, "/colour", "grey");
  const there = await phone.tab(`#/project/${project}`);
  await change(there, "/size", "7");
  await eventually(async () => assert.equal((await stored()).data.size, 7));
  await value(here, "/size").getByText("1").waitFor();
  await online(here).click();
  await counted(here, "Queue", 0).waitFor();
  await value(here, "/size").getByText("7").waitFor();
  await value(there, "/colour").getByText("grey").waitFor();
  await counted(here, "Conflicts", 0).waitFor();
  await Promise.all([laptop.close(), phone.close()]);
});

test("insights and progress of another device come at once, and move nothing that is typed or read", async () => {
  const url = `/v1/contexts/project/${project}`;
  for (let n = 0; n < 30; n++) await stage.api.post(`${url}/insights`, { content: `known since long ${n}` });
  const [laptop, phone] = [await stage.person({ reducedMotion: "reduce" }), await stage.person()];
  const at = `#/project/${project}/notes`;
  const [here, there] = [await laptop.tab(at), await phone.tab(at)];
  const insights = here.getByRole("list", { name: "Insights, newest first" }).getByRole("listitem");
  await eventually(async () => assert.equal(await insights.count(), 30));
  const field = here.getByLabel("What was learned");
  const add = async (label, text) => {
    await there.bringToFront();
    await there.getByLabel(label).fill(text);
    await there.getByRole("button", { name: "Add", exact: true }).click();
    await here.bringToFront();
  };
  const top = (locator) => locator.evaluate((one) => one.getBoundingClientRect().top);

  await here.bringToFront();
  await field.fill("half a thought");
  await field.evaluate((one) => one.setSelectionRange(5, 5));
  const before = await top(field);
  await add("What was learned", "from the other device");
  await insights.first().getByText("from the other device").waitFor();
  assert.equal(await insights.count(), 31);
  assert.equal(await top(field), before);
  const caret = await field.evaluate((one) => [one === document.activeElement, one.value, one.selectionStart]);
  assert.deepEqual(caret, [true, "half a thought", 5]);
  await here.locator(`#contexts [data-key="project/${project}"] .stir`).waitFor();
  await here.getByText(`alice: new insight of project ${project}`).waitFor();

  // Where one reads further down, the text stays.
  const read = insights.getByText("known since long 3", { exact: true });
  await read.evaluate((one) => one.scrollIntoView({ block: "center" }));
  const place = await top(read);
  await add("What was learned", "and another one");
  await insights.first().getByText("and another one").waitFor({ state: "attached" });
  await eventually(async () => assert.ok(Math.abs((await top(read)) - place) <= 1));

  await there.getByText("Progress", { exact: true }).click();
  await add("How far it is", "all of it");
  await here.getByText(`alice: new progress note of project ${project}`).waitFor();
  assert.equal(await insights.count(), 32);
  await here.getByText("Progress", { exact: true }).click();
  await here.getByRole("list", { name: "Progress, newest first" }).getByText("all of it").waitFor();
  await Promise.all([laptop.close(), phone.close()]);
});

test("where WebSockets do not work, the page says that it asks for changes, and they come", async () => {
  const wire = await wireTo(stage.worker.url, { live: false });
  const laptop = await stage.person({}, "alice", wire.url);
  const page = await laptop.tab(`#/project/${project}`);
  await page.getByText("Up to date, asking every 5 s").waitFor();
  await page.getByRole("button", { name: /^Queue/ }).click();
  await page
    .getByRole("dialog")
    .getByText("This network carries no WebSockets. Changes of others are asked for every five seconds.")
    .waitFor();
  await page.keyboard.press("Escape");
  await stage.api.put(`/v1/contexts/project/${project}`, { data: { colour: "theirs" } });
  await value(page, "/colour").getByText("theirs").waitFor();
  await change(page, "/colour", "mine");
  await eventually(async () => assert.equal((await stored()).data.colour, "mine"));
  await laptop.close();
  wire.close();
});

for (const [choice, result] of [
  ["Keep mine", "mine"],
  ["Take theirs", "theirs"],
  ["Another value …", "both"],
]) {
  test(`a value changed on both sides is shown side by side, and settled: ${choice}`, async () => {
    const laptop = await stage.person();
    const page = await laptop.tab(`#/project/${project}`);
    await online(page).click();
    await change(page, "/colour", "mine");
    const theirs = await stage.api.patch(
      `/v1/contexts/project/${project}`,
      { colour: "theirs" },
      {
        "content-type": "application/merge-patch+json",
      },
    );
    assert.equal(theirs.status, 200);
    await online(page).click();
    await counted(page, "Conflicts", 1).click();
    const dialog = page.getByRole("dialog", { name: "Conflicts" });
    const side = (name) => dialog.getByRole("group", { name, exact: true });
    assert.match(await side("Before").innerText(), /"red"/);
    assert.match(await side("Theirs").innerText(), /"theirs"/);
    assert.match(await side("Mine").innerText(), /"mine"/);
    await dialog.getByRole("button", { name: choice }).click();
    if (result === "both") {
      await dialog.getByLabel("Another value, as JSON").fill('"both"');
      await dialog.getByRole("button", { name: "Save this value" }).click();
    }
    await dialog.getByText("None. What others changed").waitFor();
    await page.keyboard.press("Escape");
    await counted(page, "Conflicts", 0).waitFor();
    await value(page, "/colour").getByText(result).waitFor();
    await eventually(async () => assert.equal((await stored()).data.colour, result));
    await laptop.close();
  });
}

test("a token that is no longer taken is replaced without losing what was written meanwhile", async () => {
  const laptop = await stage.person();
  const page = await laptop.tab(`#/project/${project}`, { console: false });
  await value(page, "/colour").getByText("red").waitFor();
  await online(page).click(); // so that it waits when the token is refused
  await change(page, "/colour", "late");
  await stage.renewSecret();
  await online(page).click();
  await page.getByRole("heading", { name: "Sign in again" }).waitFor({ timeout: 20_000 });
  await page.getByLabel("Token").fill(stage.token("bob"));
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByText("This token is not alice's").waitFor();
  await page.getByLabel("Token").fill(stage.token("alice"));
  await page.getByRole("button", { name: "Open" }).click();
  await counted(page, "Queue", 0).waitFor({ timeout: 20_000 });
  await page.getByText("Up to date").waitFor();
  await eventually(async () => assert.equal((await stored()).data.colour, "late"));
  await laptop.close();
});
