// The search field on top: its keys, what it finds and why, where a find leads, and what it loads.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { eventually, open, value, violations } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
after(() => stage?.close());
afterEach(() => stage.done());

const put = async (address, body) => {
  const { status, text } = await stage.api.put(`/v1/contexts/${address}`, body);
  assert.ok(status === 201 || status === 200, text);
};
const fieldOf = (page) => page.getByRole("combobox", { name: "Search" });
const hits = (page) => page.getByRole("listbox", { name: "Contexts found" }).getByRole("option");
const ids = (page) => hits(page).locator(".hit-head b").allInnerTexts();
const count = (page) => page.locator(".finds-count");
/** What of the search was loaded so far: its room, the module, the models. */
const loaded = (page) =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map(({ name }) => /\/(?:assets\/(search\w*)-|(models)\/)/.exec(name))
      .flatMap((found) => (found ? [found[1] ?? found[2]] : [])),
  );

/** Types and waits for the answer. */
async function ask(page, text) {
  await fieldOf(page).fill(text);
  await page.locator('[role="listbox"][aria-busy="false"]').waitFor({ state: "attached" });
}

test("nothing of it is loaded before the field has the focus, and no model before there are words", async () => {
  const alice = await stage.person({ serviceWorkers: "block" });
  const page = await alice.tab("#/task/cart-latency");
  await value(page, "/goal").waitFor();
  assert.deepEqual(await loaded(page), []);
  await page.keyboard.press("/");
  await page.getByText("exactly these words").waitFor();
  assert.equal(await fieldOf(page).inputValue(), "", "the key is not typed");
  await ask(page, "level:branch");
  assert.deepEqual((await ids(page)).sort(), ["shop.checkout", "shop.search"]);
  assert.deepEqual(new Set(await loaded(page)), new Set(["search", "search_bg"]));
  await ask(page, "search");
  await eventually(async () => assert.equal((await loaded(page)).filter((what) => what === "models").length, 4));
  await alice.close();
});

test("a find says what, where and why; Enter opens the context at the place", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/global/global");
  await page.keyboard.press("/");
  await ask(page, "cart_items");
  const best = hits(page).first();
  assert.match(await best.innerText(), /^task\s+cart-latency\s+\/findings\/slowest_query\s+cart_items by user/);
  assert.equal(await best.locator("mark").innerText(), "cart_items");
  await best.getByText("in the text").first().waitFor();
  assert.equal(
    await count(page)
      .getByText(/layers?\./)
      .count(),
    1,
  );
  await page.keyboard.press("Enter");
  const row = value(page, "/findings/slowest_query");
  await row.waitFor();
  await eventually(async () => assert.ok(await row.evaluate((one) => one === document.activeElement)));
  assert.equal(await row.getAttribute("aria-selected"), "true");
  await page.getByRole("complementary", { name: "Origin of a value" }).getByText("cart_items by user").waitFor();
  assert.equal(new URL(page.url()).hash, "#/task/cart-latency");
  assert.equal(await page.getByRole("listbox", { name: "Contexts found" }).count(), 0);
  // The same context again, at another place.
  await page.keyboard.press("/");
  await ask(page, "path:/findings level:task p95");
  await page.keyboard.press("Enter");
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.dataset.key), "/goal"));
  await alice.close();
});

test("keys: a slash in a field is typed, arrows move, Escape clears and gives the focus back", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/task/cart-latency");
  const filter = page.getByLabel("Find a context");
  await filter.click();
  await page.keyboard.type("a/b");
  assert.equal(await filter.inputValue(), "a/b");
  await filter.fill("");
  await page.keyboard.press("Control+k");
  const field = fieldOf(page);
  assert.ok(await field.evaluate((one) => one === document.activeElement));
  await ask(page, "cart");
  const chosen = async () => {
    const id = await field.getAttribute("aria-activedescendant");
    assert.equal(await page.locator('[role="option"][aria-selected="true"]').getAttribute("id"), id);
    return page.locator(`#${id} .hit-head b`).innerText();
  };
  const all = await ids(page);
  assert.ok(all.length > 2, String(all));
  assert.equal(await field.getAttribute("aria-expanded"), "true");
  assert.equal(await chosen(), all[0]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await chosen(), all[2]);
  await page.keyboard.press("ArrowUp");
  assert.equal(await chosen(), all[1]);
  await page.keyboard.press("Escape");
  assert.equal(await field.inputValue(), "");
  assert.equal(await field.getAttribute("aria-expanded"), "false");
  assert.equal(await field.getAttribute("aria-activedescendant"), null);
  assert.ok(await filter.evaluate((one) => one === document.activeElement));
  assert.equal(await hits(page).count(), 0);
  await alice.close();
});

test("it searches while somebody types, and the last answer stays", async () => {
  await put("project/quokkas", { data: { title: "Quokkas of paper" } });
  await put("project/quolls", { data: { title: "Quolls of steel" } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await page.getByRole("radio", { name: "Words" }).check();
  await fieldOf(page).click();
  await page.keyboard.type("quo");
  await eventually(async () => assert.deepEqual((await ids(page)).sort(), ["quokkas", "quolls"]));
  await page.keyboard.type("kka", { delay: 5 });
  await eventually(async () => assert.deepEqual(await ids(page), ["quokkas"]));
  await page.keyboard.type("s of nothing at all", { delay: 1 });
  await eventually(async () => assert.equal(await page.locator(".hit mark").first().innerText(), "Quokkas"));
  // What others write while the list shows.
  await fieldOf(page).fill("quokka");
  await eventually(async () => assert.deepEqual(await ids(page), ["quokkas"]));
  await put("project/lamps", { data: { title: "A quokka of brass" } });
  await eventually(async () => assert.deepEqual((await ids(page)).sort(), ["lamps", "quokkas"]));
  await alice.close();
});

test("what is typed as soon as the room shows is searched", async () => {
  const alice = await stage.person();
  const page = await alice.tab();
  await page.evaluate(() => {
    const field = document.querySelector(".find input");
    const seen = new MutationObserver(() => {
      if (!document.querySelector(".finds")) return;
      seen.disconnect();
      field.value = "level:branch"; // right after it was drawn, before anything else runs
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    seen.observe(document.body, { childList: true, subtree: true });
  });
  await page.keyboard.press("/");
  await eventually(async () => assert.ok((await ids(page)).includes("shop.checkout")));
  await alice.close();
});

test("what is found is text, whatever it looks like", async () => {
  await put("project/slip", { data: { title: 'marzipan <img src=x onerror="globalThis.slipped=1"> \u202etxt' } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await ask(page, "marzipan");
  await hits(page).first().getByText('<img src=x onerror="globalThis.slipped=1">').waitFor();
  assert.equal(await page.locator(".hit img").count(), 0);
  assert.equal(await page.evaluate(() => globalThis.slipped), undefined);
  await hits(page).first().getByText("\\u202e", { exact: true }).waitFor();
  await ask(page, '<b id="said">nothing</b>zzz');
  assert.equal(await page.locator("#said").count(), 0);
  await alice.close();
});

test("views are searched too, and a find says which layer says it", async () => {
  await put("global/global", { data: { conventions: { commits: "imperative, 72 columns" }, motto: "obsidian first" } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await ask(page, "obsidian");
  assert.deepEqual((await ids(page)).slice(0, 1), ["global"]);
  await page.getByRole("radio", { name: "Views" }).check();
  const hit = hits(page).filter({ hasText: "cart-latency" });
  await hit.getByText("said in").waitFor();
  assert.match(await hit.innerText(), /\/motto/);
  await hit.click();
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement?.dataset.key), "/motto"));
  await page.getByRole("heading", { name: "cart-latency", exact: true }).waitFor();
  await alice.close();
});

test("more comes by the button and by the arrow past the end, each context once", async () => {
  await put("project/many", { data: {} });
  for (let n = 0; n < 45; n++) await put(`branch/many.b${n}`, { parent: "many", data: { text: `quartz ${n}` } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await page.getByRole("radio", { name: "Words" }).check();
  await ask(page, "quartz");
  await count(page).getByText("About 45 layers.").waitFor();
  assert.equal(await hits(page).count(), 20);
  await page.getByRole("button", { name: "Show more" }).click();
  await eventually(async () => assert.equal(await hits(page).count(), 40));
  await fieldOf(page).focus();
  for (let n = 0; n < 40; n++) await page.keyboard.press("ArrowDown");
  await eventually(async () => assert.equal(await hits(page).count(), 45));
  assert.equal(new Set(await ids(page)).size, 45);
  await count(page).getByText("45 layers.", { exact: true }).waitFor();
  await alice.close();
});

test("an item of a list is shown where the view has it, and a note in the notes", async () => {
  await put("project/steps", { data: { steps: ["wash"] }, rules: { "/steps": "append" } });
  await put("branch/steps.more", { parent: "steps", data: { steps: ["whittle the cedar"] } });
  await stage.api.post("/v1/contexts/branch/steps.more/insights", { content: "varnish takes a day" });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await ask(page, "cedar");
  await hits(page).first().getByText("/steps/0").waitFor();
  await page.keyboard.press("Enter");
  await eventually(async () =>
    assert.equal(await page.evaluate(() => document.activeElement?.dataset.key), "/steps/1"),
  );
  await page.keyboard.press("/");
  await ask(page, "varnish");
  await hits(page).first().getByText("in a note").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("list", { name: "Insights, newest first" }).getByText("varnish takes a day").waitFor();
  await alice.close();
});

test("a place deep in a large document is opened and scrolled to", async () => {
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`k${at}`, { inner: `value ${at}` }]));
  await put("project/vast", { data: { ...many, z: { deep: { deeper: "a tamarind" } } } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await ask(page, "tamarind");
  await page.keyboard.press("Enter");
  const row = value(page, "/z/deep/deeper");
  await row.waitFor();
  await eventually(async () => {
    const [one, all] = [await row.boundingBox(), await page.locator("#room").boundingBox()];
    assert.ok(one.y >= all.y && one.y + one.height <= all.y + all.height, JSON.stringify([one, all]));
  });
  await alice.close();
});

test("it is found by what it means, with no word of the question", async () => {
  await put("project/garage", { data: { text: "repairing an automobile engine" } });
  await put("project/kitchen", { data: { text: "recipes for soup and bread" } });
  const alice = await stage.person();
  const page = await alice.tab();
  await page.keyboard.press("/");
  await page.getByRole("radio", { name: "Meaning" }).check();
  await fieldOf(page).fill("fixing a vehicle");
  await eventually(async () => assert.equal((await ids(page))[0], "garage"), 60_000);
  await eventually(async () => assert.match(await hits(page).first().innerText(), /\d+ % near in meaning/));
  await alice.close();
});

test("it says when nothing is found, when the models are missing, and when the search cannot load", async () => {
  const alice = await stage.person({ serviceWorkers: "block" });
  const page = await alice.tab("", { console: false });
  await page.route("**/search_bg-*.wasm", (route) => route.abort());
  await page.route("**/models/**", (route) => route.abort());
  await page.keyboard.press("/");
  await fieldOf(page).fill("cart");
  await page.getByRole("alert").getByText("unavailable").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.unroute("**/search_bg-*.wasm");
  await ask(page, "cart latency");
  await eventually(async () => assert.match(await count(page).innerText(), /models for meaning did not load/));
  assert.equal(await page.getByRole("search").getByRole("alert").count(), 0);
  assert.ok((await ids(page)).includes("cart-latency"));
  await ask(page, "xyzzyx");
  assert.match(await count(page).innerText(), /Nothing is found for “xyzzyx”/);
  await alice.close();
});

test("once used, it works without a network", async () => {
  const alice = await stage.person();
  const page = await alice.tab("", { console: false });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload(); // from here on the service worker has the page
  await page.locator(".context").first().waitFor();
  await page.keyboard.press("/");
  await page.getByRole("radio", { name: "Meaning" }).check();
  await fieldOf(page).fill("basket delay");
  await eventually(async () => assert.match(await hits(page).first().innerText(), /near in meaning/), 60_000);
  await alice.context.setOffline(true);
  await page.reload();
  await page.locator(".context").first().waitFor();
  await page.keyboard.press("/");
  await page.getByRole("radio", { name: "Meaning" }).check();
  await fieldOf(page).fill("basket delay");
  await eventually(async () => assert.match(await hits(page).first().innerText(), /near in meaning/), 60_000);
  await alice.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [320, 900, 1360]) {
    test(`all of it is in sight and axe-core finds nothing: ${colorScheme}, ${width} pixels`, async () => {
      const alice = await stage.person({ colorScheme, viewport: { width, height: 640 }, reducedMotion: "reduce" });
      const page = await alice.tab("#/task/cart-latency");
      await page.keyboard.press("/");
      await page.getByText("exactly these words").waitFor();
      assert.deepEqual(await violations(page), [], "help");
      await ask(page, "cart latency");
      assert.deepEqual(await violations(page), [], "finds");
      const inside = await page.evaluate(() => {
        const sheet = document.querySelector(".finds");
        const { left, right, top, bottom } = sheet.getBoundingClientRect();
        const field = document.querySelector(".find input").getBoundingClientRect();
        return {
          sheet: left >= 0 && right <= innerWidth && bottom <= innerHeight && top >= field.bottom,
          field: field.left >= 0 && field.right <= innerWidth && field.width >= 200,
          scroll: sheet.scrollWidth <= sheet.clientWidth && document.documentElement.scrollWidth <= innerWidth,
        };
      });
      assert.deepEqual(inside, { sheet: true, field: true, scroll: true });
      // A press beside it puts it away, and the words stay for the next time.
      await page.mouse.click(width - 5, 635);
      await eventually(async () => assert.equal(await page.locator(".finds").count(), 0));
      assert.equal(await fieldOf(page).inputValue(), "cart latency");
      await alice.close();
    });
  }
}
