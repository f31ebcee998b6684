// Writes that the server refuses: they are seen at once wherever they matter, the views show what the
// server has, and each can be discarded, tried again or written in another form.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { counted, eventually, open, value, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open({ lines: "" })));
after(() => stage?.close());
afterEach(() => stage.done());

// A project with a branch, of its own for each test.
let project,
  branch,
  count = 0;
beforeEach(async () => {
  project = `r${++count}`;
  branch = `${project}.part`;
  if (count === 1) await stage.api.put("/v1/contexts/global/global", { data: { model: "small" } });
  const data = { colour: "red", size: 1 };
  assert.equal((await stage.api.put(`/v1/contexts/project/${project}`, { data })).status, 201);
  const part = { parent: project, data: { goal: "speed", list: ["one"] } };
  assert.equal((await stage.api.put(`/v1/contexts/branch/${branch}`, part)).status, 201);
});

const stored = async (of = `branch/${branch}`) => (await stage.api.get(`/v1/contexts/${of}`)).body;

const MERGE = { "content-type": "application/merge-patch+json" };
const others = async (of, patch) => {
  const { status, text } = await stage.api.patch(`/v1/contexts/${of}`, patch, MERGE);
  assert.equal(status, 200, text);
};

const READER = { scope: "contexts:read" };
const online = (page) => page.getByRole("switch", { name: "Online" });

/** Opens the page anew with a token that has other claims, and without a network use at first. */
async function signIn(page, claims = {}) {
  const loaded = page.waitForEvent("load");
  await page.evaluate((token) => (location.hash = `token=${token}`), stage.token("alice", claims));
  await loaded;
  await page.locator(".context").first().waitFor({ state: "attached" });
}

/** Writes in the editor of the layer, or by `act`, while the page does not use the network. */
async function writeOffline(page, edits = {}, act = async () => {}) {
  await online(page).click();
  await page.getByText("Offline", { exact: true }).waitFor();
  if (Object.keys(edits).length > 0) {
    await page.getByRole("tab", { name: "Layer" }).click();
    const field = page.getByLabel("Data");
    await field.fill(JSON.stringify({ ...JSON.parse(await field.inputValue()), ...edits }));
    await save(page);
    await page.getByRole("tab", { name: "View" }).click();
  }
  await act();
}

async function save(page) {
  const button = page.getByRole("button", { name: "Save", exact: true });
  await eventually(async () => assert.ok(await button.isEnabled()));
  await button.click();
  await button.waitFor({ state: "detached" });
}

const inTree = (page, of) => page.locator(`#contexts [data-key="${of}"] .refused`);
const atValue = (page, pointer) => value(page, pointer).locator(".refused");
const inRoom = (page) => page.locator("#room").getByRole("region", { name: /refused$/ });
const unfold = async (page) => {
  await inRoom(page).getByText("What was written").first().waitFor();
  for (const summary of await inRoom(page).getByText("What was written").all()) await summary.click();
};
const announced = (page) => page.locator("#page > [role=alert]");
const none = (page) => page.getByRole("button", { name: /^Refused/ }).waitFor({ state: "detached" });

test("a write that the token may not make shows in all places, and everything else goes on", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  await writeOffline(page, { goal: "comfort" });
  await value(page, "/goal").getByText("comfort").waitFor();
  await signIn(page, READER);
  await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
  await online(page).click();

  await counted(page, "Refused", 1).waitFor();
  await counted(page, "Queue", 0).waitFor();
  await page.getByText("Up to date").waitFor();
  assert.match(await announced(page).textContent(), new RegExp(`^Refused: update of branch ${branch}\\. .*scope`));
  await inTree(page, `branch/${branch}`).waitFor();
  await atValue(page, "/goal").waitFor();
  assert.equal(await page.locator(".values .refused").count(), 1);
  await value(page, "/goal").getByText("speed").waitFor(); // as the server has it
  const why = /forbidden[\s\S]*contexts:write[\s\S]*\/goal set to\s*"comfort"/;
  await unfold(page);
  assert.match(await inRoom(page).innerText(), why);
  await value(page, "/goal").click();
  await page.getByText("A write to this value was refused.").waitFor();
  await page.getByRole("button", { name: "Show it" }).press("Enter");
  assert.equal(await inRoom(page).evaluate((one) => one === document.activeElement), true);
  await counted(page, "Refused", 1).click();
  const dialog = page.getByRole("dialog", { name: "Still to be sent" });
  assert.match(await dialog.innerText(), new RegExp(`${branch}[\\s\\S]*update[\\s\\S]*${why.source}`));

  // A reader can discard it, and is told why nothing else.
  await dialog.getByText("Your token may read, but not write").waitFor();
  assert.equal(await dialog.getByRole("button", { name: /^(Edit|Try again)/ }).count(), 0);
  await page.keyboard.press("Escape");
  await others(`branch/${branch}`, { list: ["one", "two"] });
  await value(page, "/list/1").getByText("two").waitFor();

  // It is still there after a reload; with another token it is tried again.
  await signIn(page);
  await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
  await inRoom(page).getByRole("button", { name: "Try again" }).click();
  await none(page);
  await eventually(async () => assert.deepEqual((await stored()).data, { goal: "comfort", list: ["one", "two"] }));
  await value(page, "/goal").getByText("comfort").waitFor();
  for (const left of [inTree(page, `branch/${branch}`), atValue(page, "/goal"), inRoom(page)])
    assert.equal(await left.count(), 0);
  await alice.close();
});

test("a write that a lock forbids is edited in the layer, over a reload too, and the old one goes with the save", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`);
  await writeOffline(page, { colour: "grey", shade: "dark" });
  const locked = { data: { colour: "red", size: 1 }, rules: { "/colour": "lock" } };
  assert.equal((await stage.api.put(`/v1/contexts/project/${project}`, locked)).status, 200);
  await online(page).click();
  await counted(page, "Refused", 1).waitFor();
  await atValue(page, "/colour").waitFor();
  await unfold(page);
  assert.match(await inRoom(page).innerText(), /locked[\s\S]*\/colour set to\s*"grey"[\s\S]*\/shade set to\s*"dark"/);

  // The draft that is there is not replaced without a question.
  await page.getByRole("tab", { name: "Layer" }).click();
  const field = page.getByLabel("Data");
  await field.fill('{ "goal": "another draft" }');
  await inRoom(page).getByRole("button", { name: "Edit" }).click();
  const question = page.getByRole("dialog", { name: `Discard the draft in branch ${branch}?` });
  await question.getByRole("button", { name: "Keep it" }).click();
  assert.equal(await field.inputValue(), '{ "goal": "another draft" }');
  await inRoom(page).getByRole("button", { name: "Edit" }).click();
  await question.getByRole("button", { name: "Discard" }).click();

  await page.getByText("Saving it discards the refused write.").waitFor();
  assert.deepEqual(JSON.parse(await field.inputValue()), {
    colour: "grey",
    shade: "dark",
    goal: "speed",
    list: ["one"],
  });
  await page.locator(".effect").getByText("locked").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save", exact: true }).isDisabled(), true);
  await page.reload();
  await page.getByText("Saving it discards the refused write.").waitFor();
  await field.fill((await field.inputValue()).replace('"colour"', '"own_colour"'));
  await save(page);
  await none(page);
  await eventually(async () => {
    const { data } = await stored();
    assert.deepEqual([data.own_colour, data.shade, data.colour], ["grey", "dark", undefined]);
  });
  assert.equal(await inRoom(page).count(), 0);
  await alice.close();
});

test("a context that could not be made is in the tree, and is made in another place", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/project/${project}`);
  await writeOffline(page, {}, async () => {
    await page.getByRole("button", { name: "New", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "A new context" });
    await dialog.getByLabel("Level").selectOption("branch");
    await dialog.getByLabel("In which project").selectOption(project);
    await dialog.getByLabel(/^Name/).fill(`${project}.new`);
    await dialog.getByLabel("What it says").fill('{ "big": 12345, "goal": "something new" }');
    await dialog.getByRole("button", { name: "Make it" }).click();
    await value(page, "/goal").waitFor();
  });
  assert.equal((await stage.api.delete(`/v1/contexts/project/${project}?cascade=true`)).status, 200);
  const other = { data: { colour: "other" } };
  assert.equal((await stage.api.put(`/v1/contexts/project/${project}-other`, other)).status, 201);
  await online(page).click();
  await counted(page, "Refused", 1).waitFor();
  await inTree(page, `branch/${project}.new`).waitFor();
  await unfold(page);
  assert.match(
    await inRoom(page).innerText(),
    /parent-not-found[\s\S]*the whole layer set to\s*\{[\s\S]*something new/,
  );

  await inRoom(page).getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "A new context" });
  assert.equal(await dialog.getByLabel(/^Name/).inputValue(), `${project}.new`);
  await dialog.getByLabel("In which project").selectOption(`${project}-other`);
  await dialog.getByRole("button", { name: "Make it" }).click();
  await none(page);
  await value(page, "/colour").getByText("other").waitFor();
  await eventually(async () => {
    const { parent, data } = await stored(`branch/${project}.new`);
    assert.deepEqual([parent, data], [`${project}-other`, { big: 12345, goal: "something new" }]);
  });
  await alice.close();
});

test("a move, a delete and a note that were refused come back to where they are made", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  for (const name of ["to", "instead"])
    assert.equal((await stage.api.put(`/v1/contexts/project/${project}-${name}`, { data: {} })).status, 201);
  const task = `${branch}.task`;
  assert.equal((await stage.api.put(`/v1/contexts/task/${task}`, { parent: branch, data: {} })).status, 201);
  await page.locator(`[data-key="task/${task}"]`).waitFor();
  await writeOffline(page, {}, async () => {
    await page.getByRole("button", { name: "Move" }).click();
    await page.getByLabel("To which project").selectOption(`${project}-to`);
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("tab", { name: "Notes" }).click();
    await page.getByText("Progress", { exact: true }).click();
    await page.getByLabel("How far it is").fill("half of it");
    await page.getByRole("button", { name: "Add" }).click();
    await page.evaluate((task) => (location.hash = `#/task/${task}`), task);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });
  await signIn(page, READER);
  await online(page).click();
  await counted(page, "Refused", 3).waitFor();
  await signIn(page);

  await counted(page, "Refused", 3).click();
  const dialog = page.getByRole("dialog", { name: "Still to be sent" });
  await dialog.getByRole("button", { name: `Edit the move of branch ${branch}` }).click();
  const move = page.getByRole("dialog", { name: `Move branch ${branch}` });
  assert.equal(await move.getByLabel("To which project").inputValue(), `${project}-to`);
  await move.getByLabel("To which project").selectOption(`${project}-instead`);
  await move.getByRole("button", { name: "Move" }).click();
  await counted(page, "Refused", 2).click();
  await dialog.getByRole("button", { name: `Edit the delete of task ${task}` }).click();
  await page
    .getByRole("dialog", { name: `Delete task ${task}?` })
    .getByRole("button", { name: "Delete" })
    .click();
  await counted(page, "Refused", 1).click();
  await dialog.getByRole("button", { name: `Edit the add progress of branch ${branch}` }).click();
  const note = page.getByLabel("How far it is");
  assert.equal(await note.inputValue(), "half of it");
  await note.fill("all of it");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await none(page);
  await eventually(async () => {
    assert.equal((await stored()).parent, `${project}-instead`);
    assert.equal((await stage.api.get(`/v1/contexts/task/${task}`)).status, 404);
    const { items } = (await stage.api.get(`/v1/contexts/branch/${branch}/progress`)).body;
    assert.deepEqual(
      items.map(({ content }) => content),
      ["all of it"],
    );
  });
  await alice.close();
});

test("a secret stays hidden in what was refused, and a discard asks before a long text is lost", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  const long = "a thought that takes a while to be written down again ".repeat(3).trim();
  await writeOffline(page, { api_key: "tulip-4471", nested: { dbPassword: "rose-2210" }, plain: "seen" });
  await page.getByRole("tab", { name: "Notes" }).click();
  await page.getByLabel("What was learned").fill(long);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("list", { name: "Insights, newest first" }).getByText(long).waitFor();
  await signIn(page, READER);
  await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
  await online(page).click();
  await counted(page, "Refused", 2).waitFor();
  const region = inRoom(page);
  const update = region.getByRole("listitem", { name: /^update/ });
  await unfold(page);
  await update.getByText('"seen"').waitFor();
  const secrets = /tulip-4471|rose-2210/;
  assert.doesNotMatch(await page.content(), secrets);
  await update.getByRole("button", { name: "Show the secret" }).click();
  await update.getByText('"tulip-4471"').waitFor();
  await update.getByText("rose-2210").waitFor();
  await update.getByRole("button", { name: "Hide the secret" }).click();
  await update.getByText('"tulip-4471"').waitFor({ state: "detached" });
  assert.doesNotMatch(await page.content(), secrets);

  const note = region.getByRole("listitem", { name: /^add insight/ });
  await note.getByRole("button", { name: "Discard" }).click();
  const question = page.getByRole("dialog", { name: "Discard what was written?" });
  await question.getByRole("button", { name: "Keep it" }).click();
  await note.getByText(long).waitFor();
  await update.getByRole("button", { name: "Discard" }).click();
  await counted(page, "Refused", 1).waitFor();
  await note.getByRole("button", { name: "Discard" }).click();
  await question.getByRole("button", { name: "Discard" }).click();
  await none(page);
  assert.equal(await region.count(), 0);
  assert.equal((await stored()).version, 1);
  await alice.close();
});

test("a secret stays hidden in a conflict, and so does the marker of a sealed one", async () => {
  await others(`branch/${branch}`, { api_key: "lily-1", nested: { dbPassword: "lily-2" } });
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`);
  await writeOffline(page, { api_key: "tulip-4471", nested: { dbPassword: "rose-2210" } });
  await others(`branch/${branch}`, { api_key: "lily-3", nested: { dbPassword: "lily-4" } });
  await online(page).click();
  await counted(page, "Conflicts", 2).click();
  const dialog = page.getByRole("dialog", { name: "Conflicts" });
  const conflict = dialog.getByRole("listitem").filter({ hasText: "/api_key" });
  await conflict.getByRole("group", { name: "Theirs" }).getByText("sealed", { exact: true }).waitFor();
  await conflict.getByRole("group", { name: "Mine" }).getByText('"••••••"').waitFor();
  assert.doesNotMatch(await page.content(), /tulip-4471|rose-2210|\$sealed/);
  await conflict.getByRole("button", { name: "Show the secret" }).click();
  await conflict.getByRole("group", { name: "Mine" }).getByText('"tulip-4471"').waitFor();
  await conflict.getByRole("button", { name: "Keep mine" }).click();
  await counted(page, "Conflicts", 1).waitFor();
  await eventually(async () => assert.equal((await stored()).version, 4));
  await alice.close();
});

test("a secret that is shown is hidden again after a while", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  await writeOffline(page, { token: "tulip-4471" });
  await signIn(page, READER);
  await page.clock.install();
  await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
  await online(page).click();
  await unfold(page);
  await inRoom(page).getByRole("button", { name: "Show the secret" }).click();
  await inRoom(page).getByText("tulip-4471").waitFor();
  await eventually(async () => {
    await page.clock.fastForward(21_000); // again if its timer was not set yet
    assert.equal(await inRoom(page).getByText("tulip-4471").count(), 0);
  }, 5000);
  await alice.close();
});

test("a refused write with large integers is not edited, which would round them; tried again it keeps them", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}/layer`, { console: false });
  await writeOffline(page, {}, async () => {
    await page.getByLabel("Data").fill('{ "goal": "speed", "list": ["one"], "big": [9007199254740993] }');
    await save(page);
  });
  await signIn(page, READER);
  await online(page).click();
  await counted(page, "Refused", 1).waitFor();
  await signIn(page);
  await counted(page, "Refused", 1).click();
  const write = page.getByRole("dialog").getByRole("listitem", { name: `update of branch ${branch}` });
  await write.getByText("It holds integers beyond 2^53, which are rounded here.").waitFor();
  assert.equal(await write.getByRole("button", { name: /^Edit/ }).count(), 0);
  await write.getByRole("button", { name: /^Try again/ }).click();
  await none(page);
  await eventually(async () => {
    const { text } = await stage.api.get(`/v1/contexts/branch/${branch}`);
    assert.match(text, /"big":\[9007199254740993\]/);
  });
  await alice.close();
});

test("many refused writes are discarded together after a question, or tried again together", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  const reload = async (claims) => {
    await signIn(page, claims);
    await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
  };
  const note = async (...thoughts) => {
    await page.getByRole("tab", { name: "Notes" }).click();
    for (const thought of thoughts) {
      await page.getByLabel("What was learned").fill(thought);
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator(".notes li").getByText(thought).waitFor();
    }
  };
  await writeOffline(page, { goal: "comfort" });
  await note("one thought", "another thought");
  const refuse = async () => {
    await reload(READER);
    if ((await online(page).getAttribute("aria-checked")) === "false") await online(page).click();
    await counted(page, "Refused", 3).waitFor();
  };
  await refuse();
  await inRoom(page).getByRole("button", { name: "Discard all" }).click();
  const question = page.getByRole("dialog", { name: "Discard all 3 refused writes?" });
  await question.getByRole("button", { name: "Keep it" }).click();
  await reload();
  await inRoom(page).getByRole("button", { name: "Try all again" }).click();
  await none(page);
  await counted(page, "Queue", 0).waitFor();
  await eventually(async () => {
    assert.equal((await stored()).data.goal, "comfort");
    const { items } = (await stage.api.get(`/v1/contexts/branch/${branch}/insights`)).body;
    assert.equal(items.length, 2);
  });

  await writeOffline(page, { goal: "other", more: 1 });
  await note("third", "fourth");
  await refuse();
  await inRoom(page).getByRole("button", { name: "Discard all" }).click();
  await question.getByRole("button", { name: "Discard", exact: true }).click();
  await none(page);
  assert.equal(await inRoom(page).count(), 0);
  assert.equal((await stored()).data.goal, "comfort");
  await alice.close();
});

test("refused writes are handled with the keyboard alone", async () => {
  const alice = await stage.person();
  const page = await alice.tab(`#/branch/${branch}`, { console: false });
  await writeOffline(page, { goal: "comfort" });
  await page.evaluate((project) => (location.hash = `#/project/${project}`), project);
  await page.getByRole("tab", { name: "Layer" }).click();
  const field = page.getByLabel("Data");
  await eventually(async () => assert.match(await field.inputValue(), /red/));
  await field.fill('{ "colour": "blue", "size": 1 }');
  await save(page);
  await signIn(page, READER);
  await online(page).click();
  await counted(page, "Refused", 2).waitFor();
  await signIn(page);
  await counted(page, "Refused", 2).waitFor();

  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
  const until = async (reached) => {
    for (let presses = 0; presses < 40; presses++) {
      if (reached.test(await focused())) return;
      await keyboard.press("Tab");
    }
    assert.fail(`Tab never reaches ${reached}; it is at ${await focused()}`);
  };
  await until(/^Refused/);
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Still to be sent" });
  await dialog.getByRole("region", { name: "2 writes were refused" }).waitFor();
  await until(new RegExp(`^Discard the update of branch ${branch}`));
  await keyboard.press("Enter");
  const region = dialog.getByRole("region", { name: "A write was refused" });
  await region.waitFor();
  await eventually(async () => assert.ok(await region.evaluate((one) => one === document.activeElement)));
  await until(new RegExp(`^Edit the update of project ${project}`));
  await keyboard.press("Enter");
  await eventually(async () => assert.ok(await field.evaluate((one) => one === document.activeElement)));
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type('{ "colour": "green", "size": 1 }');
  await until(/^Save$/);
  await eventually(async () => assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isEnabled()));
  await until(/^Save$/);
  await keyboard.press("Enter");
  await none(page);
  await eventually(async () => assert.equal((await stored(`project/${project}`)).data.colour, "green"));
  assert.equal((await stored()).version, 1);
  await alice.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [where, viewport] of [
    ["desk", { width: 1360, height: 860 }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    test(`axe-core finds nothing in refused writes: ${colorScheme}, ${where}`, async () => {
      const alice = await stage.person({ colorScheme, viewport, reducedMotion: "reduce" });
      const page = await alice.tab(`#/branch/${branch}`, { console: false });
      const look = async (what) => {
        assert.deepEqual(await violations(page), [], what);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${what} is ${wide} pixels too wide`);
        for (const region of await page.locator(".refusals").all())
          assert.equal(await region.evaluate((one) => Math.max(0, one.scrollWidth - one.clientWidth)), 0, what);
      };
      const long = "x".repeat(300);
      await writeOffline(page, { goal: "comfort", password: "tulip", [long.slice(0, 90)]: long });
      await page.getByRole("tab", { name: "Notes" }).click();
      await page.getByLabel("What was learned").fill(`${long} a long thought`);
      await page.getByRole("button", { name: "Add" }).click();
      await page.locator(".notes li").waitFor();
      await signIn(page, READER);
      await online(page).click();
      await counted(page, "Refused", 2).waitFor();
      await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
      await unfold(page);
      await look("the room of a reader");
      await signIn(page);
      await page.evaluate((branch) => (location.hash = `#/branch/${branch}`), branch);
      await atValue(page, "/goal").waitFor();
      await value(page, "/goal").click();
      await page.getByText("A write to this value was refused.").waitFor();
      await look("a value");
      await page.getByRole("button", { name: "Close" }).click();
      await counted(page, "Refused", 2).click();
      await page.getByRole("dialog").getByRole("region").waitFor();
      await look("the queue");
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Discard the add insight/ })
        .click();
      await page.getByRole("dialog", { name: "Discard what was written?" }).waitFor();
      await look("the question");
      await page.getByRole("button", { name: "Keep it" }).click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Edit the update/ })
        .click();
      await page.getByText("Saving it discards the refused write.").waitFor();
      await look("the editor");
      await alice.close();
    });
  }
}
