// Where things are on the screen, and what is said about them.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { open } from "./stage.mjs";

let stage;
before(async () => {
  stage = await open({ lines: "" });
  assert.equal((await stage.api.put("/v1/contexts/project/tall", { data: {} })).status, 201);
  assert.equal((await stage.api.put("/v1/contexts/branch/tall.part", { parent: "tall", data: {} })).status, 201);
});
after(() => stage?.close());
afterEach(() => stage.done());

test("a delete that cannot be pressed says why", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/project/tall");
  await page.getByRole("button", { name: "Delete" }).click();
  const remove = page.getByRole("dialog").getByRole("button", { name: "Delete" });
  assert.equal(await remove.isDisabled(), true);
  const reason = page.getByText("It cannot be deleted alone: a context is below it.");
  assert.equal(await reason.isVisible(), true);
  const described = await remove.getAttribute("aria-describedby");
  assert.equal(await reason.getAttribute("id"), described);
  await page.getByLabel("and the 1 context below it").check();
  await reason.waitFor({ state: "detached" });
  assert.deepEqual([await remove.isDisabled(), await remove.getAttribute("aria-describedby")], [false, null]);
  await alice.close();
});
