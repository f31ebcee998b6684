// Who can use it: with a keyboard alone, on a phone, in the dark, with a screen reader as far as
// axe-core can tell.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { counted, eventually, open, value, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

for (const colorScheme of ["light", "dark"]) {
  for (const [where, viewport] of [
    ["desk", { width: 1360, height: 860 }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    test(`axe-core finds nothing: ${colorScheme}, ${where}`, async () => {
      const alice = await stage.person({ colorScheme, viewport, reducedMotion: "reduce" });
      const page = await alice.tab("#/task/cart-latency");
      const look = async (what) => assert.deepEqual(await violations(page), [], what);
      await value(page, "/models/default").click();
      await page.getByRole("button", { name: "Change" }).click();
      await page.getByLabel("New value").fill("tiny");
      await page.getByRole("region", { name: "What this changes" }).waitFor();
      await look("a value, its origin and a change");
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByRole("tab", { name: "Layer" }).click();
      const data = page.getByLabel("Data");
      await data.fill((await data.inputValue()).replace("120 ms", "100 ms"));
      await page.getByRole("region", { name: "What this changes" }).waitFor();
      await look("the layer, edited");
      await data.fill("{ oh");
      await page.getByRole("alert").first().waitFor();
      await look("the layer, mistaken");
      await page.getByRole("button", { name: "Discard" }).click();
      await page.getByRole("tab", { name: "History" }).click();
      await page.getByText("The whole view then").click();
      await look("history");
      await page.getByRole("tab", { name: "Notes" }).click();
      await page.getByLabel("What was learned").waitFor();
      await look("notes");
      for (const name of [/^Queue/, /^Conflicts/, /^alice$/, /^Move$/]) {
        await page.getByRole("button", { name }).click();
        await page.getByRole("dialog").waitFor();
        await look(`${name}`);
        await page.keyboard.press("Escape");
      }
      for (const name of ["New", "Import", "Restore"]) {
        if (where === "phone") await page.getByRole("button", { name: "Contexts" }).click();
        await page.getByRole("button", { name, exact: true }).click();
        await page.getByRole("dialog").waitFor();
        await look(name);
        await page.keyboard.press("Escape");
        if (where === "phone") await page.getByRole("button", { name: "Contexts" }).click();
      }
      await alice.close();
    });
  }
}

test("axe-core finds nothing where one signs in", async () => {
  const alice = await stage.person();
  const page = await alice.context.newPage();
  await page.goto(stage.worker.url);
  await page.getByLabel("Token").waitFor();
  assert.deepEqual(await violations(page), []);
  await alice.close();
});

test("axe-core finds nothing in several conflicts at once, nor in a mistake in a new context", async () => {
  const alice = await stage.person({ reducedMotion: "reduce" });
  await stage.api.put("/v1/contexts/project/apart", { data: { colour: "red", size: 1 } });
  const page = await alice.tab("#/project/apart/layer");
  await page.getByRole("switch", { name: "Online" }).click();
  const data = page.getByLabel("Data");
  await data.fill('{ "colour": "mine", "size": 2 }');
  const save = page.getByRole("button", { name: "Save", exact: true });
  await eventually(async () => assert.ok(await save.isEnabled()));
  await save.click();
  await stage.api.put("/v1/contexts/project/apart", { data: { colour: "theirs", size: 3 } });
  await page.getByRole("switch", { name: "Online" }).click();
  await counted(page, "Conflicts", 2).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("group", { name: "Mine" }).first().waitFor();
  assert.deepEqual(await violations(page), []);
  for (let left = 2; left > 0; left--) await dialog.getByRole("button", { name: "Take theirs" }).first().click();
  await dialog.getByText("None. What others changed").waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "New", exact: true }).click();
  const field = dialog.getByLabel("What it says");
  await field.fill("{ oh");
  const described = await field.evaluate(
    (one) => document.getElementById(one.getAttribute("aria-describedby"))?.textContent,
  );
  assert.match(described ?? "", /^Line 1, column 3/);
  assert.deepEqual(await violations(page), []);
  // Selecting text past the edge of the dialog does not close it; a click beside it asks.
  const box = await field.boundingBox();
  await page.mouse.move(box.x + 60, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(5, 5);
  await page.mouse.up();
  assert.equal(await field.inputValue(), "{ oh");
  await page.mouse.click(5, 5);
  const question = page.getByRole("dialog", { name: "Discard what you have put in here?" });
  await question.waitFor();
  assert.deepEqual(await violations(page), []);
  await question.getByRole("button", { name: "Discard" }).click();
  await dialog.waitFor({ state: "detached" });
  await alice.close();
});

test("everything is reached and done with the keyboard alone", async () => {
  const alice = await stage.person();
  const page = await alice.tab();
  const { keyboard } = page;
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute("data-key") ?? document.activeElement?.textContent?.trim(),
    );
  const until = async (reached, key = "Tab") => {
    for (let presses = 0; presses < 40; presses++) {
      if (reached.test((await focused()) ?? "")) return;
      await keyboard.press(key);
    }
    assert.fail(`${key} never reaches ${reached}; it is at ${await focused()}`);
  };
  // Down the tree to a task, and into it.
  await until(/^global\/global$/);
  await keyboard.press("End");
  await eventually(async () => assert.equal(await focused(), "task/synonyms"));
  await until(/^branch\/shop.search$/, "ArrowLeft");
  await keyboard.press("ArrowLeft"); // closes it
  await page.locator('[data-key="task/synonyms"]').waitFor({ state: "detached" });
  await keyboard.press("ArrowRight"); // opens it
  await keyboard.press("ArrowRight"); // goes in
  await eventually(async () => assert.equal(await focused(), "task/synonyms"));
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "synonyms" }).waitFor();

  // Through the tabs with arrows, back to the view, into its values.
  await until(/^View$/);
  await keyboard.press("ArrowRight");
  await page.getByLabel("Data").waitFor();
  await keyboard.press("ArrowRight");
  await page.getByRole("slider").waitFor();
  await keyboard.press("Home");
  await until(/^\/conventions$/);
  await until(/^\/goal$/, "ArrowDown");
  await keyboard.press("Enter");
  await until(/^Change$/);
  await keyboard.press("Enter");
  const on = (tag) =>
    eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.tagName), tag));
  await on("TEXTAREA");
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type("every synonym");
  await page.getByRole("region", { name: "What this changes" }).waitFor();
  await until(/^Save$/);
  await keyboard.press("Enter");
  await value(page, "/goal").getByText("every synonym").waitFor();
  await eventually(async () => {
    const { body } = await stage.api.get("/v1/contexts/task/synonyms");
    assert.equal(body.data.goal, "every synonym");
  });
  // The focus is back where it began, after Cancel too; and where one is led after deleting.
  const at = (what) => eventually(async () => assert.match((await focused()) ?? "", what));
  await at(/^Change$/);
  await keyboard.press("Enter");
  await on("TEXTAREA");
  await until(/^Cancel$/);
  await keyboard.press("Enter");
  await at(/^Change$/);
  await until(/^Delete$/, "Shift+Tab");
  await keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await until(/^Delete$/);
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "shop.search" }).waitFor();
  await on("MAIN");
  await alice.close();
});

test("a phone shows everything within its width, and edits", async () => {
  const alice = await stage.person({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const page = await alice.tab();
  const fits = async (what) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${what} is ${wide} pixels too wide`);
  };
  const drawer = page.locator("#contexts.open");
  await page.getByRole("button", { name: "Contexts" }).tap();
  await drawer.waitFor();
  await page.touchscreen.tap(355, 700);
  await drawer.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Contexts" }).tap();
  await page.locator('[data-key="task/guest-checkout"]').tap();
  await page.getByRole("heading", { name: "guest-checkout" }).waitFor();
  await fits("the view");
  await value(page, "/goal").tap();
  await page.getByRole("button", { name: "Change" }).tap();
  await page.getByLabel("New value").fill("buy as a guest");
  await fits("a value");
  await page.getByRole("button", { name: "Save", exact: true }).tap();
  await value(page, "/goal").getByText("buy as a guest").waitFor();
  await page.getByRole("button", { name: "Close" }).tap();
  for (const tab of ["Layer", "History", "Notes"]) {
    await page.getByRole("tab", { name: tab }).tap();
    await fits(tab);
  }
  await counted(page, "Queue", 0).waitFor();
  await alice.close();
});
