// Signing out, and tokens that end: what stays on the device, and what is shown of it.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { counted, eventually, open, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

const copies = (page) =>
  page.evaluate(async () => {
    const all = await indexedDB.databases();
    return all.map(({ name }) => name).filter((name) => name.startsWith("nacre http"));
  });
const signOut = (page) => page.getByRole("button", { name: /^Sign out/ });
const keep = (page) => page.getByLabel("Keep the copy on this device");
const openUser = (page, user = "alice") => page.getByRole("button", { name: user, exact: true }).click();

test("signing out erases the copy, and asks first when that loses a write", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/shop");
  assert.equal((await copies(page)).length, 1);
  await page.getByRole("switch", { name: "Online" }).click();
  await page.getByRole("tab", { name: "Notes" }).click();
  await page.getByLabel("What was learned").fill("A note that waits.");
  await page.getByRole("button", { name: "Add" }).first().click();
  await counted(page, "Queue", 1).waitFor();
  await openUser(page);
  assert.deepEqual(await violations(page), []);
  await signOut(page).click();
  assert.equal(await signOut(page).innerText(), "Sign out, and lose 1 unsent write");
  // Nothing is lost if it is kept.
  await keep(page).check();
  assert.equal(await signOut(page).innerText(), "Sign out");
  await keep(page).uncheck();
  await signOut(page).click();
  await signOut(page).click();
  await page.getByLabel("Token").waitFor();
  await eventually(async () => assert.deepEqual(await copies(page), []));
  await alice.close();
});

test("a copy that the user keeps is there again after signing in", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/shop");
  await openUser(page);
  await keep(page).check();
  await signOut(page).click();
  await page.getByLabel("Token").waitFor();
  assert.equal((await copies(page)).length, 1);
  await alice.close();
});

test("signing out in one tab ends the others", async () => {
  const alice = await stage.person();
  const [one, other] = [await alice.tab(), await alice.tab()];
  await openUser(one);
  await signOut(one).click();
  await other.getByLabel("Token").waitFor();
  assert.equal(await other.evaluate(() => sessionStorage.getItem("nacre.token")), null);
  await alice.close();
});

test("a token that the server refuses closes the copy until a good one comes", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/shop", { console: false });
  await page.locator(".title").getByText("shop").waitFor();
  await page.getByRole("tab", { name: "Notes" }).click();
  await page.getByLabel("What was learned").fill("half a thought");
  await page.getByRole("button", { name: "New", exact: true }).click(); // a dialog does not stand in the way
  await stage.renewSecret();
  await page.getByRole("heading", { name: "Sign in again" }).waitFor({ timeout: 20_000 });
  assert.doesNotMatch(await page.locator("body").innerText(), /shop|synonyms/, "nothing is shown");
  assert.equal(await page.title(), "Nacre");
  assert.deepEqual(await violations(page), []);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("nacre.token")), null, "nor after a reload");
  // Neither is it while another token is looked at that is refused as well.
  await page.getByLabel("Token").fill(stage.token("alice", { nbf: Math.floor(Date.now() / 1000) + 900 }));
  await page.getByRole("button", { name: "Open" }).click();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.doesNotMatch(await page.locator("body").innerText(), /synonyms/);
  await page.getByLabel("Token").fill(stage.token("alice"));
  await page.getByRole("button", { name: "Open" }).click();
  await page.locator(".title").getByText("shop").waitFor({ timeout: 20_000 });
  assert.equal(await page.getByLabel("What was learned").inputValue(), "half a thought", "what was typed is there");
  await alice.close();
});

test("a link with another user's token asks before it takes a signed-in tab over", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/shop");
  const bearer = await page.evaluate(() => sessionStorage.getItem("nacre.token"));
  const visit = (user) => page.goto(`${stage.worker.url}/#token=${stage.token(user)}`);
  await visit("bob");
  await page.getByRole("heading", { name: "Sign in as bob?" }).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.equal(new URL(page.url()).hash, "", "the token has left the address");
  assert.equal(await page.evaluate(() => sessionStorage.getItem("nacre.token")), bearer);
  await page.getByRole("button", { name: "Stay signed in" }).click();
  await page.getByRole("button", { name: "alice", exact: true }).waitFor();

  await visit("bob");
  await page.getByRole("button", { name: "Sign in as bob" }).click();
  await page.getByRole("button", { name: "bob", exact: true }).waitFor();
  await eventually(async () =>
    assert.deepEqual(
      (await copies(page)).map((name) => name.split(" ").at(-1)),
      ["bob"],
    ),
  );
  // A new token of the same user needs no question.
  await visit("bob");
  await page.getByRole("button", { name: "bob", exact: true }).waitFor();
  await alice.close();
});

test("a secret that was typed into a layer is encrypted in the tab's storage", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/shop/layer");
  await page.getByLabel("Data").fill('{ "password": "tulip-4471"');
  const kept = () =>
    page.evaluate(() =>
      Object.entries(sessionStorage)
        .filter(([name]) => name.startsWith("nacre.draft"))
        .map(([, text]) => text),
    );
  await eventually(async () => assert.equal((await kept()).length, 1));
  assert.ok(!(await kept())[0].includes("tulip"));
  await page.reload();
  await eventually(async () => assert.match(await page.getByLabel("Data").inputValue(), /tulip-4471/));
  await page.getByRole("button", { name: "Discard" }).first().click();
  await eventually(async () => assert.deepEqual(await kept(), []));
  await alice.close();
});
