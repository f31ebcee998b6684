// Sharing a project: the owner sees and sets who sees what, and a guest sees what is theirs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { root } from "../e2e/harness.mjs";
import { eventually, open, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

const members = async () => (await stage.api.get("/v1/members")).body.items;
const share = async (user, terms = {}) => {
  const { status, text } = await stage.api.put(`/v1/members/${user}`, { project: "shop", role: "reader", ...terms });
  assert.equal(status, 200, text);
};
const dialog = (page) => page.getByRole("dialog");
const button = (page, name) => dialog(page).getByRole("button", { name, exact: true });

/** Opens the members of the project in sight. */
async function look(page) {
  await page.getByRole("button", { name: "Members", exact: true }).click();
  await page.getByRole("heading", { name: "Members of shop" }).waitFor();
}

/** Opens what a user shares with the user of a page. */
async function lookAt(page, user, owner) {
  await page.getByRole("button", { name: user, exact: true }).click();
  await button(page, "Shared with you").click();
  await page.getByLabel("Who shares with you").fill(owner);
  await button(page, "Look").click();
}

test("an owner shares a project, changes the terms and ends it, with the keyboard alone", async () => {
  const alice = await stage.person({ reducedMotion: "reduce" });
  const page = await alice.tab("#/project/shop");
  await page.getByRole("button", { name: "Members", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Only you see this project.").waitFor();
  await button(page, "Share with someone").press("Enter");
  const user = page.getByLabel("User, as their tokens name them");
  await eventually(async () => assert.ok(await user.evaluate((one) => one === document.activeElement)));
  await page.keyboard.type("bob");
  await page.getByText("The guest reads the project and what is in it, and writes nothing.").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.getByText("The guest reads and writes the project and what is in it.").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "bob", exact: true }).waitFor();
  const { since, ...made } = (await members())[0];
  const terms = { project: "shop", role: "writer", history: "from-share", reveal: false, global: true };
  assert.deepEqual(made, { ...terms, user: "bob" });
  assert.equal(await dialog(page).locator("time").getAttribute("datetime"), since);
  await eventually(async () =>
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Share with someone"),
  );

  await button(page, "Change the terms of bob").click();
  await page.getByLabel("Left out").check();
  await page.getByLabel("Open", { exact: true }).check();
  await page.getByLabel("All", { exact: true }).check();
  await page.getByText("The guest's views begin at the project.").waitFor();
  await button(page, "Save the terms").click();
  await page.getByText("Saved: what bob sees is above.").waitFor();
  const changed = { ...terms, user: "bob", since, history: "all", reveal: true, global: false };
  assert.deepEqual(await members(), [changed]);
  await dialog(page).getByText("The guest sees all states of the project since its beginning.").waitFor();

  await button(page, "Share with someone").click();
  await page.getByLabel("User, as their tokens name them").fill("bob");
  await page.getByText("bob is a member already. Sharing again replaces their terms.").waitFor();
  await button(page, "Cancel").click();
  await button(page, "Remove bob").click();
  await button(page, "Yes, stop sharing with bob").click();
  await page.getByText("bob no longer sees shop.").waitFor();
  assert.deepEqual(await members(), []);
  await alice.close();
});

test("what is refused is told, what was put in is not lost, and Escape asks", async () => {
  const alice = await stage.person({ reducedMotion: "reduce" });
  const page = await alice.tab("#/project/shop", { console: false });
  await look(page);
  await button(page, "Share with someone").click();
  await page.getByLabel("User, as their tokens name them").fill("alice");
  await button(page, "Share").click();
  await dialog(page).getByText("the owner cannot be a member of their own store").waitFor();
  assert.equal(await page.getByLabel("User, as their tokens name them").inputValue(), "alice");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Discard what you have put in here?" }).waitFor();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await eventually(async () => assert.equal(await dialog(page).count(), 0));
  await alice.close();
});

test("a token that only reads shows the members, and changes none", async () => {
  await share("bob");
  const reader = await stage.person({ reducedMotion: "reduce" }, "alice", stage.worker.url, { scope: "contexts:read" });
  const page = await reader.tab("#/project/shop");
  await look(page);
  await page.getByRole("heading", { name: "bob", exact: true }).waitFor();
  await dialog(page).getByText("Your token may read, but not write").waitFor();
  assert.deepEqual(await dialog(page).getByRole("button").allTextContents(), [""], "only Close");
  await stage.api.delete("/v1/members/bob?project=shop");
  await reader.close();
});

test("a guest sees what is shared with them, by whom and as what, and what they cannot do", async () => {
  await share("carol", { reveal: true });
  await stage.worker.api("carol").put("/v1/contexts/global/global", { data: {} });
  const carol = await stage.person({ reducedMotion: "reduce" }, "carol");
  const page = await carol.tab("", { console: false });
  await lookAt(page, "carol", "nobody");
  await dialog(page).getByText("shares nothing with you, or there is no such user.").waitFor();
  await page.getByLabel("Who shares with you").fill("alice");
  await button(page, "Look").click();
  const project = dialog(page).getByRole("region", { name: "Project shop" });
  await project.getByText("shared by alice with you as reader").waitFor();
  for (const sentence of [
    "You read the project and what is in it, and write nothing.",
    "With the scope secrets:reveal, you open the secrets of the project, and of the global layer where it takes part.",
    "change the project, or add to it",
    "create, delete or restore a project",
  ]) {
    await project.getByText(sentence).waitFor();
  }
  await button(page, "Show what is in it").click();
  await project.getByRole("button", { name: /cart-latency/ }).click();
  const view = project.getByLabel("View of task cart-latency");
  await eventually(async () => assert.equal(JSON.parse(await view.inputValue()).models.default, "large"));
  await stage.api.delete("/v1/members/carol?project=shop");
  await carol.close();
});

test("the page says of each choice what the documentation says", async () => {
  const documented = readFileSync(join(root, "docs/sharing.md"), "utf8").replaceAll(/\s+/g, " ");
  const alice = await stage.person({ reducedMotion: "reduce" });
  const page = await alice.tab("#/project/shop");
  await look(page);
  await button(page, "Share with someone").click();
  const choices = await dialog(page).getByRole("radio").all();
  assert.equal(choices.length, 8);
  const said = new Set();
  for (const choice of choices) {
    await choice.check();
    for (const sentence of await dialog(page).locator(".term p").allTextContents()) said.add(sentence);
  }
  assert.equal(said.size, 8);
  for (const sentence of said)
    assert.ok(documented.includes(sentence.replace("secrets:reveal", "`secrets:reveal`")), sentence);
  await alice.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [where, viewport] of [
    ["desk", { width: 1360, height: 860 }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    test(`axe-core finds nothing in sharing: ${colorScheme}, ${where}`, async () => {
      await share("bob", { role: "writer", global: false });
      await share("dan");
      const alice = await stage.person({ colorScheme, viewport, reducedMotion: "reduce" });
      const page = await alice.tab("#/project/shop");
      await look(page);
      await page.getByRole("heading", { name: "dan", exact: true }).waitFor();
      assert.deepEqual(await violations(page), [], "members");
      await button(page, "Change the terms of dan").click();
      await button(page, "Save the terms").waitFor();
      assert.deepEqual(await violations(page), [], "terms");
      await shot(page, `members-${colorScheme}-${where}`);
      await alice.close();
      await stage.worker.api("bob").put("/v1/contexts/global/global", { data: {} });
      const bob = await stage.person({ colorScheme, viewport, reducedMotion: "reduce" }, "bob");
      const guest = await bob.tab();
      await lookAt(guest, "bob", "alice");
      await button(guest, "Show what is in it").click();
      await dialog(guest)
        .getByRole("button", { name: /cart-latency/ })
        .click();
      await dialog(guest).getByLabel("View of task cart-latency").waitFor();
      assert.deepEqual(await violations(guest), [], "shared");
      await shot(guest, `shared-${colorScheme}-${where}`);
      await bob.close();
    });
  }
}

/** Keeps a picture in the folder `NACRE_SHOTS`, if it is named. */
async function shot(page, name) {
  const folder = process.env.NACRE_SHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}
