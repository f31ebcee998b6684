// Where things are on the screen: a value stays where it was clicked, nothing covers it, and what a
// save changes, its button and its outcome are in sight.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { eventually, open, value } from "./stage.mjs";

const SCREENS = {
  desk: { viewport: { width: 1360, height: 860 } },
  "a narrow window": { viewport: { width: 900, height: 800 } },
  "a phone": { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

/** Sentences of all lengths: in a narrower column they would take more lines. */
const data = Object.fromEntries(
  Array.from({ length: 40 }, (_, at) => [
    `rule${String(at).padStart(2, "0")}`,
    "each line says one thing ".repeat(1 + (at % 7)).trim(),
  ]),
);

let stage;
before(async () => {
  stage = await open({ lines: "" });
  assert.equal((await stage.api.put("/v1/contexts/project/tall", { data })).status, 201);
  assert.equal((await stage.api.put("/v1/contexts/branch/tall.part", { parent: "tall", data: {} })).status, 201);
});
after(() => stage?.close());
afterEach(() => stage.done());

/** Whether the middle of an element can be seen and pressed, without anything being scrolled. */
const inSight = (locator) =>
  locator.evaluate((one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    return found !== null && (one.contains(found) || found.contains(one));
  });
const seen = (locator, what) =>
  eventually(async () => assert.ok(await inSight(locator), `${what} is not in sight`), 5000);

for (const [screen, options] of Object.entries(SCREENS)) {
  test(`a value stays under the pointer that chooses it, and nothing covers the values: ${screen}`, async () => {
    const alice = await stage.person({ reducedMotion: "reduce", ...options });
    const page = await alice.tab("#/project/tall");
    const room = page.locator("#room");
    const card = page.getByRole("complementary", { name: "Origin of a value" });
    await value(page, "/rule39").waitFor();
    for (const scrolled of [0, 300, 100_000]) {
      for (const share of [0.35, 0.65, 0.9]) {
        await room.evaluate((one, top) => (one.scrollTop = top), scrolled);
        const { x, y, height } = await room.boundingBox();
        const point = [x + 200, y + height * share];
        const keyAt = ([x, y]) => document.elementFromPoint(x, y)?.closest("[data-key]")?.dataset.key;
        const key = await page.evaluate(keyAt, point);
        assert.match(key ?? "", /^\/rule/, "the pointer is on a value");
        const top = () => value(page, key).evaluate((one) => one.getBoundingClientRect().top);
        const before = await top();
        const stays = async (what) => {
          const moved = Math.abs((await top()) - before);
          assert.ok(moved <= 1, `${key} at ${share} moved ${moved} pixels when the card ${what}`);
        };
        await page.mouse.click(...point);
        await card.waitFor();
        await stays("opened");
        assert.equal(await page.evaluate(keyAt, point), key, "it is still under the pointer");
        const [one, other] = [await card.boundingBox(), await room.boundingBox()];
        const apart =
          one.x + one.width <= other.x + 1 ||
          other.x + other.width <= one.x + 1 ||
          one.y + one.height <= other.y + 1 ||
          other.y + other.height <= one.y + 1;
        assert.ok(apart, `the card covers the values: ${JSON.stringify([one, other])}`);
        await card.getByRole("button", { name: "Close" }).click();
        await card.waitFor({ state: "detached" });
        await stays("closed");
      }
    }
    await alice.close();
  });

  test(`what a save changes is in sight before it, and that it is saved after it: ${screen}`, async () => {
    const alice = await stage.person({ reducedMotion: "reduce", ...options });
    const page = await alice.tab("#/project/tall/layer");
    const preview = page.getByRole("region", { name: "What this changes" });
    const save = page.getByRole("button", { name: "Save", exact: true });
    const type = async (text) => {
      await page.keyboard.type(text);
      await seen(preview.locator("ins").first(), "the change");
      await seen(save, "Save");
      await eventually(async () => assert.ok(await save.isEnabled()));
      await save.evaluate((one) => one.click()); // as it lies: Playwright would scroll
      await seen(page.getByText("Saved", { exact: true }), "Saved");
    };
    const field = page.getByLabel("Data");
    await field.evaluate((one) => {
      const end = one.value.lastIndexOf('"');
      one.focus();
      one.setSelectionRange(end, end);
    });
    await type(` on ${screen}`);
    await page.getByRole("tab", { name: "View" }).click();
    await value(page, "/rule05").click();
    await page.getByRole("button", { name: "Change" }).click();
    await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA"));
    await type(` on ${screen}`);
    await alice.close();
  });
}

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
