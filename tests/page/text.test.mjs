// Text of users on the page: what cannot be seen is shown as escapes, and what is long stays in
// bounds.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { eventually, open, value, violations } from "./stage.mjs";

/** Turns what follows around: "a\u202egpj.exe" looks like "aexe.jpg". */
const TURN = "\u202e";
/** Somebody whose name pretends to be another one. */
const MALLORY = "al\u200beci";
const ESCAPED = "al\\u200beci";

let stage, mallory;
before(async () => {
  stage = await open({ lines: "" });
  mallory = stage.worker.api(MALLORY);
});
after(() => stage?.close());
afterEach(() => stage.done());

/** What is on the page and hides something: in text, titles and labels. */
const hidden = (page) =>
  page.evaluate(() => {
    const found = [document.title];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
      else {
        for (const name of ["title", "aria-label", "aria-valuetext", "placeholder"]) {
          found.push(node.getAttribute(name) ?? "");
        }
        if (node instanceof HTMLTextAreaElement || node instanceof HTMLInputElement) found.push(node.value);
      }
    }
    return found.filter((text) => /[\u200b\u202a-\u202e\u2066-\u2069]/.test(text) || text.includes("\u0007"));
  });

test("what turns or hides text is shown as escapes, in names, values and authors, wherever they stand", async () => {
  const put = await mallory.put("/v1/contexts/project/shop", {
    data: { [`safe${TURN}name`]: `safe${TURN}value`, bell: "a\u0007b\nc", deep: { [`x${TURN}`]: [`y${TURN}`] } },
    summary: `safe${TURN}summary`,
  });
  assert.equal(put.status, 201, put.text);
  for (const size of [1, 2]) {
    await mallory.patch(
      "/v1/contexts/project/shop",
      { [`n${TURN}`]: size },
      { "content-type": "application/merge-patch+json" },
    );
  }
  const url = "/v1/contexts/project/shop/insights";
  const note = { content: `c${TURN}`, category: `k${TURN}`, agent: `a${TURN}` };
  assert.equal((await mallory.post(url, note)).status, 201);

  const person = await stage.person({}, MALLORY);
  const page = await person.tab("#/project/shop");
  const clean = async (what) => assert.deepEqual(await hidden(page), [], what);
  await page.getByText(`by ${ESCAPED}`).first().waitFor();
  await page.getByText("safe\\u202ename", { exact: true }).waitFor();
  await page.getByText("safe\\u202evalue", { exact: true }).waitFor();
  assert.match(await value(page, "/bell").innerText(), /a\\u0007b\nc/, "a line break is seen as one");
  await clean("the view");
  await value(page, `/safe${TURN}name`).click();
  await page.getByRole("complementary").getByText("/safe\\u202ename").waitFor();
  await page.getByRole("button", { name: "Change" }).click();
  const field = page.getByLabel("New value");
  assert.equal(await field.inputValue(), '"safe\\u202evalue"');
  await field.fill('"safe\\u202eother"');
  await page.getByRole("region", { name: "What this changes" }).waitFor();
  await clean("a value and its change");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("tab", { name: "Layer" }).click();
  await eventually(async () => assert.match(await page.getByLabel("Data").inputValue(), /"safe\\u202ename"/));
  await clean("the layer");
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByText("safe\\u202esummary").waitFor();
  await page.getByText("The whole view then").click();
  await clean("history");
  await page.getByRole("tab", { name: "Notes" }).click();
  await page.getByText("k\\u202e").waitFor();
  await clean("notes");
  await page.getByRole("button", { name: ESCAPED, exact: true }).click();
  await page.getByRole("dialog", { name: ESCAPED }).waitFor();
  await clean("the user");
  await page.keyboard.press("Escape");

  await page.evaluate((id) => (location.hash = `#/task/${encodeURIComponent(id)}`), `t${TURN}`);
  await page.getByText("task t\\u202e").waitFor();
  await clean("a context that a link names");
  await person.close();
});

test("text that needs characters of no width is shown as it is", async () => {
  const texts = { family: "👩‍👩‍👧 ❤️ 1️⃣", persian: "می‌خواهم", hindi: "क्‍ष" };
  assert.equal((await stage.api.put("/v1/contexts/project/words", { data: texts })).status, 201);
  const alice = await stage.person();
  const page = await alice.tab("#/project/words");
  for (const [name, text] of Object.entries(texts))
    await value(page, `/${name}`).getByText(text, { exact: true }).waitFor();
  await alice.close();
});

test("a value of hundreds of kilobytes leaves the page as tall as it is, and is shown in full on request", async () => {
  const long = "0123456789abcdef ".repeat(900_000 / 17);
  const lines = "one line\n".repeat(5000);
  assert.equal((await stage.api.put("/v1/contexts/project/long", { data: { long, lines: [lines] } })).status, 201);
  const alice = await stage.person({ reducedMotion: "reduce" });
  const page = await alice.tab("#/project/long");
  const height = () => page.locator("#room").evaluate((room) => room.scrollHeight);
  const bounded = async (what) => assert.ok((await height()) < 3000, `${what}: ${await height()} pixels`);
  const row = value(page, "/long");
  await row.waitFor();
  await bounded("the view");
  const all = row.getByRole("button", { name: `Show all ${long.length.toLocaleString("en")} characters` });
  await all.click();
  assert.equal(await row.getByRole("group").textContent(), long);
  assert.equal(
    await page.getByRole("complementary", { name: "Origin of a value" }).count(),
    0,
    "the row is not chosen by it",
  );
  await bounded("all of it");
  assert.deepEqual(await violations(page), []);
  await row.getByRole("button", { name: "Show the beginning" }).press("Enter");
  await all.waitFor();

  await value(page, "/lines/0").click();
  const card = page.getByRole("complementary", { name: "Origin of a value" });
  await card.getByRole("button", { name: /^Show all/ }).click();
  await card.getByRole("group").waitFor();
  const tall = await card.evaluate((one) => one.scrollHeight);
  assert.ok(tall < 3000, `the card: ${tall} pixels`);
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByText("The whole view then").click();
  await value(page, "/long").waitFor();
  await bounded("history");
  await alice.close();
});
