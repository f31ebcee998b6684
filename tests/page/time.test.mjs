// Making, taking away and bringing back; bringing files in; and going through time.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { root } from "../e2e/harness.mjs";
import { counted, eventually, open, value } from "./stage.mjs";

let stage;
before(async () => (stage = await open({ lines: "" })));
after(() => stage?.close());
afterEach(() => stage.done());

test("contexts come in from files that are dropped on the page", async () => {
  const alice = await stage.person();
  const page = await alice.tab();
  await page.getByText("Nothing is stored yet").waitFor();
  const [global, ...lines] = readFileSync(join(root, "examples/shop.ndjson"), "utf8").trim().split("\n");
  const drop = (files) =>
    page.evaluate((files) => {
      const transfer = new DataTransfer();
      for (const [name, text] of Object.entries(files)) transfer.items.add(new File([text], name, { lastModified: 1 }));
      const event = (type) => new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event("dragover"));
      document.body.dispatchEvent(event("drop"));
    }, files);
  const dialog = page.getByRole("dialog", { name: "Import contexts" });
  const bring = dialog.getByRole("button", { name: "Import" });
  // Into the dialog that is open; the first file comes in, the second is wrong.
  await page.locator("#contexts").getByRole("button", { name: "Import" }).click();
  await dialog.getByLabel("Files").waitFor();
  await drop({ "global.json": global, "shop.ndjson": "no contexts" });
  await dialog.getByText("global.json").waitFor();
  assert.equal(await dialog.count(), 1);
  await bring.click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByText("1 made, 0 replaced.").waitFor();
  await dialog.getByText("global.json").waitFor({ state: "detached" });
  await dialog.getByText("shop.ndjson", { exact: true }).waitFor();
  // Others instead, or the same one corrected.
  await dialog.getByRole("button", { name: "Choose others" }).click();
  await dialog.getByLabel("Files").waitFor();
  await drop({ "shop.ndjson": lines.join("\n") });
  await dialog.getByText("shop.ndjson", { exact: true }).waitFor();
  await bring.click();
  await dialog.getByText("7 made, 0 replaced.").waitFor();
  await page.keyboard.press("Escape");
  await page.locator('[data-key="task/synonyms"]').waitFor();
  await eventually(async () => {
    const { body } = await stage.api.get("/v1/contexts?limit=200");
    assert.equal(body.items.length, 8);
  });
  await alice.close();
});

test("a context is made, deleted with what is below it, and restored", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/docs");
  await page.getByRole("heading", { name: "docs" }).waitFor();
  await page.getByRole("button", { name: "New" }).click();
  const made = page.getByRole("dialog", { name: "A new context" });
  assert.equal(await made.getByLabel("Level").inputValue(), "branch");
  assert.equal(await made.getByLabel("In which project").inputValue(), "docs");
  await made.getByLabel(/^Name/).fill("docs.guides");
  await made.getByLabel("What it says").fill('{ "goal": "a guide for each task" }');
  await made.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "docs.guides" }).waitFor();
  await value(page, "/goal").getByText("a guide for each task").waitFor();
  await eventually(async () => assert.equal((await stage.api.get("/v1/contexts/branch/docs.guides")).status, 200));

  await page.locator('[data-key="project/docs"]').click();
  await page.getByRole("button", { name: "Delete" }).click();
  const gone = page.getByRole("dialog", { name: /Delete project docs/ });
  assert.equal(await gone.getByRole("button", { name: "Delete" }).isDisabled(), true);
  await gone.getByLabel("and the 1 context below it").check();
  await gone.getByRole("button", { name: "Delete" }).click();
  await page.locator('[data-key="branch/docs.guides"]').waitFor({ state: "detached" });
  await eventually(async () => assert.equal((await stage.api.get("/v1/contexts/branch/docs.guides")).status, 404));

  await page.getByRole("button", { name: "Restore", exact: true }).click();
  const back = page.getByRole("dialog", { name: "Restore what was deleted" });
  await back.getByRole("button", { name: "Restore project docs" }).click();
  await page.locator('[data-key="branch/docs.guides"]').waitFor();
  await eventually(async () => assert.equal((await stage.api.get("/v1/contexts/branch/docs.guides")).status, 200));
  await alice.close();
});

test("what is pressed twice is written once", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/task/synonyms/notes");
  const twice = (button) => button.evaluate((one) => (one.click(), one.click()));
  await page.getByLabel("What was learned").fill("synonyms are ordered");
  await twice(page.getByRole("button", { name: "Add", exact: true }));
  await eventually(async () => assert.equal(await page.getByLabel("What was learned").inputValue(), ""));

  await page.getByRole("tab", { name: "View" }).click();
  await value(page, "/goal").click();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("New value").fill("every synonym");
  const save = page.getByRole("button", { name: "Save", exact: true });
  await eventually(async () => assert.equal(await save.isEnabled(), true));
  await twice(save);
  await save.waitFor({ state: "detached" });

  await page.getByRole("tab", { name: "Layer" }).click();
  const data = page.getByLabel("Data");
  await data.fill((await data.inputValue()).replace("every", "each"));
  await eventually(async () => assert.equal(await save.isEnabled(), true));
  await twice(save);
  await save.waitFor({ state: "detached" });

  await counted(page, "Queue", 0).waitFor();
  const { body } = await stage.api.get("/v1/contexts/task/synonyms");
  assert.deepEqual([body.version, body.data.goal], [3, "each synonym"]);
  const { body: notes } = await stage.api.get("/v1/contexts/task/synonyms/insights");
  assert.equal(notes.items.length, 1);
  await alice.close();
});

test("the slider goes through every state of a view, and a version comes back", async () => {
  const merge = { "content-type": "application/merge-patch+json" };
  const patch = async (path, body) =>
    assert.equal((await stage.api.patch(`/v1/contexts/${path}`, body, merge)).status, 200);
  await patch("global/global", { models: { default: "medium" } }); // seen by the task? It decides itself.
  await patch("project/shop", { language: "Rust" });
  await patch("task/cart-latency", { models: { default: "huge" } });

  const alice = await stage.person();
  const page = await alice.tab("#/task/cart-latency/history");
  const slider = page.getByRole("slider");
  await eventually(async () => {
    assert.deepEqual([await slider.inputValue(), await slider.getAttribute("max")], ["6", "6"]);
  });
  const changes = page.getByRole("list", { name: "What it changed" });
  const told = (what) => eventually(async () => assert.match((await changes.innerText()).replace(/\s+/g, " "), what));
  await told(/\/models\/default . "large" . "huge"/);
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  await told(/\/language . "TypeScript" . "Rust"/);
  await page.keyboard.press("ArrowLeft");
  await page.getByText("Nothing changed in what is seen here").waitFor();
  assert.match(await slider.getAttribute("aria-valuetext"), /^global, version 2, update by alice$/);

  await page.getByText("Difference from now").click();
  const difference = page.getByRole("list", { name: "Difference from now" });
  assert.match(
    (await difference.innerText()).replace(/\s+/g, " "),
    /\/language . "TypeScript" . "Rust" \/models\/default/,
  );
  await page.getByText("The whole view then").click();
  await value(page, "/models/default").getByText("large").waitFor();

  await page.getByText("This layer").click();
  await slider.press("Home");
  await page.getByRole("button", { name: "Bring version 1 back" }).click();
  await page.getByRole("button", { name: "Bring it back" }).click();
  await eventually(async () => {
    const { body } = await stage.api.get("/v1/contexts/task/cart-latency");
    assert.deepEqual([body.version, body.data.models.default], [3, "large"]);
  });
  await alice.close();
});

test("hundreds of commits are all listed, on request, and their ticks stay within the slider", async () => {
  const count = 620;
  const operations = Array.from({ length: count }, (_, index) => ({
    action: "update",
    level: "project",
    context_id: "docs",
    patch: { step: index },
  }));
  for (let from = 0; from < count; from += 310) {
    const { status, text } = await stage.api.post("/v1/batch", { operations: operations.slice(from, from + 310) });
    assert.equal(status, 200, text);
  }
  const { body } = await stage.api.get("/v1/contexts/project/docs");
  await stage.api.put("/v1/contexts/project/docs", { data: body.data, rules: { "/step": "lock" } });
  const alice = await stage.person();
  const page = await alice.tab("#/project/docs/history");
  const slider = page.getByRole("slider");
  await slider.waitFor();
  await page.getByText("This layer").click();
  const all = Number(await slider.getAttribute("max")) + 1;
  assert.ok(all > count, `${all} commits`);
  await page.getByText("No value changed.").waitFor(); // the rules did
  const listed = page.locator(".moments li");
  for (let more = 100; more < all; more += 100) {
    assert.equal(await listed.count(), more);
    await page.getByRole("button", { name: /^Show more/ }).click();
  }
  await eventually(async () => assert.equal(await listed.count(), all));
  const past = await page.locator(".ticks").evaluate((ticks) => ticks.scrollWidth - ticks.clientWidth);
  assert.ok(past <= 0, `ticks are ${past} pixels past the end`);
  await alice.close();
});

test("a branch that has no project to be in says so", async () => {
  const bea = await stage.person({}, "bea");
  const page = await bea.context.newPage();
  await page.goto(`${stage.worker.url}/#token=${stage.token("bea")}`);
  await page.getByRole("button", { name: "Make the first context" }).click();
  const dialog = page.getByRole("dialog", { name: "A new context" });
  await dialog.getByLabel("Level").selectOption("branch");
  await dialog.getByText("A branch is in a project, and there is none yet: make that first.").waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Make it" }).isDisabled(), true);
  await bea.close();
});

test("an import that fails names the file and the line, and an empty file is not a success", async () => {
  const bob = await stage.person({}, "bob");
  const page = await bob.context.newPage();
  await page.goto(`${stage.worker.url}/#token=${stage.token("bob")}`);
  await page.locator("#contexts").getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog", { name: "Import contexts" });
  const line = (id, rest = "") => `{"level": "project", "id": "${id}", "data": {}${rest}}`;
  for (const [name, text, ...said] of [
    ["empty.ndjson", "", /^\s*empty\.ndjson holds no contexts\.$/],
    ["blank.ndjson", " \n\n", /^\s*blank\.ndjson holds no contexts\.$/],
    ["none.json", "[]", /^\s*none\.json holds no contexts\.$/],
    [
      "comma.ndjson",
      `${line("a")}\n\n${line("b")}\n{"level": "project" "id": 1}\n`,
      /comma\.ndjson, line 4, column 21: /,
    ],
    ["id.ndjson", `${line("a")}\n\n${line("b c")}\n`, /invalid-id\s+id\.ndjson, line 3: [\s\S]*\/id/],
    ["list.json", `[\n  ${line("a")},\n\n  ${line("b", ', "colour": 1')}\n]`, /list\.json, line 4: [\s\S]*\/colour/],
    ["broken.json", `[\n  {\n    "level": "project",\n    "id" "a"\n  }\n]`, /broken\.json, line 4, column 10: /],
    ["names.json", `[${line("a")},${line("b", ', "id": "c"')}]`, /invalid-json\s+names\.json: /],
    ["twice.ndjson", `${line("a")}\n${line("a")}`, /twice\.ndjson, line 2: /],
  ]) {
    await dialog.getByLabel("Files").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
    await dialog.getByRole("button", { name: "Import" }).click();
    const alert = dialog.getByRole("alert");
    for (const what of said) await eventually(async () => assert.match(await alert.innerText(), what));
    assert.equal(await dialog.getByText("0 made").count(), 0, name);
    await dialog.getByRole("button", { name: "Choose others" }).click();
  }
  await dialog.getByLabel("Files").setInputFiles({ name: "a.json", mimeType: "", buffer: Buffer.from(line("a")) });
  await dialog.getByRole("button", { name: "Import" }).click();
  await dialog.getByText("1 made, 0 replaced.").waitFor();
  await bob.close();
});

test("an import that fails part way says how many contexts went in before the fault", async () => {
  const cleo = await stage.person({}, "cleo");
  const page = await cleo.context.newPage();
  await page.goto(`${stage.worker.url}/#token=${stage.token("cleo")}`);
  await page.locator("#contexts").getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog", { name: "Import contexts" });
  const bring = dialog.getByRole("button", { name: "Import" });
  const lines = Array.from({ length: 230 }, (_, n) => `{"level": "project", "id": "p${n}", "data": {"n": ${n}}}`);
  const give = (name, lines) =>
    dialog.getByLabel("Files").setInputFiles({ name, mimeType: "", buffer: Buffer.from(lines.join("\n")) });
  await give("many.ndjson", lines.with(215, '{"level": "branch", "id": "b", "parent": "nowhere", "data": {}}'));
  await bring.click();
  await dialog.getByRole("alert").getByText("parent-not-found many.ndjson, line 216: ").waitFor();
  await dialog.getByRole("status").getByText("200 made, 0 replaced before the fault. They stay").waitFor();

  // What is in already is replaced: some of it is different now, and some as it was.
  await dialog.getByRole("button", { name: "Choose others" }).click();
  await dialog.getByLabel("Replace contexts that are there already").check();
  await give("more.ndjson", [
    ...lines.slice(0, 120).map((line) => line.replace('"n"', '"m"')),
    '{"level": "branch", "id": "b", "parent": "nowhere", "data": {}}',
  ]);
  await bring.click();
  await dialog.getByRole("status").getByText("0 made, 100 replaced before the fault.").waitFor();

  await dialog.getByRole("button", { name: "Choose others" }).click();
  await give("right.ndjson", lines);
  await bring.click();
  await dialog.getByRole("status").getByText("30 made, 200 replaced.").waitFor();
  await cleo.close();
});
