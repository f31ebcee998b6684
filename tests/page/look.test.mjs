// What the page shows: the tree, the resolved document and where its values come from, what a write
// would change; and how much is transferred to show it.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";

import { client, root } from "../e2e/harness.mjs";
import { counted, eventually, letters, open, value } from "./stage.mjs";

let stage;
before(async () => (stage = await open()));
afterEach(() => stage.done());
after(() => stage?.close());

test("every file comes from the assets, every call still reaches the API", async () => {
  const anyone = client(stage.worker.url);
  const page = await anyone.get("/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /text\/html/);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
  assert.doesNotMatch(page.text, /<style|style=|<script(?! type="module" src=)|\son\w+=/, "nothing is inline");
  const [, script] = /src="(\/assets\/[^"]+)"/.exec(page.text);
  const { headers } = await anyone.get(script);
  assert.match(headers.get("content-type"), /javascript/);
  assert.match(headers.get("cache-control"), /immutable/);
  assert.equal(headers.get("x-content-type-options"), "nosniff");

  for (const [path, status] of [
    ["/v1/contexts", 401],
    ["/openapi.json", 200],
    ["/healthz", 200],
    ["/nothing", 404],
  ]) {
    const answer = await anyone.get(path);
    assert.equal(answer.status, status, path);
    assert.match(answer.headers.get("content-type"), /json/, path);
  }
});

test("a link that was cut off shows what is there all the same", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/task/cart%");
  await page.reload();
  await page.locator(".context").first().waitFor();
  await alice.close();
});

test("what is slipped into the page does not run", async () => {
  const alice = await stage.person();
  const refusals = [];
  const page = await alice.tab("", { refusals, console: false });
  const errors = await page.evaluate(() => {
    const slip = (act) => {
      try {
        act();
        return "taken";
      } catch (error) {
        return error.name;
      }
    };
    const image = document.createElement("img");
    const answers = [
      slip(() => (document.body.innerHTML = "<p>slipped</p>")),
      slip(() => image.setAttribute("onerror", "globalThis.slipped = 1")),
      slip(() => (document.createElement("script").src = "https://elsewhere.example/x.js")),
    ];
    image.src = "https://elsewhere.example/";
    document.body.append(image);
    return answers;
  });
  assert.deepEqual(errors, ["TypeError", "TypeError", "TypeError"]);
  await eventually(() => {
    assert.deepEqual([...new Set(refusals)].sort(), ["img-src", "require-trusted-types-for"]);
  });
  assert.equal(await page.evaluate(() => globalThis.slipped), undefined);
  assert.equal(await page.getByText("slipped").count(), 0);
  await alice.close();
});

test("the first view is small", async () => {
  const [, limit] = /\[page\][^[]*first_view_gzip_bytes = ([\d_]+)/s.exec(
    readFileSync(join(root, "tests/budgets.toml"), "utf8"),
  );
  const alice = await stage.person({ serviceWorkers: "block" });
  const page = await alice.context.newPage();
  const sizes = new Map();
  const bodies = [];
  page.on("response", (response) => {
    const { pathname, protocol } = new URL(response.url());
    if (pathname.startsWith("/v1/") || !protocol.startsWith("http")) return;
    bodies.push(response.body().then((body) => sizes.set(pathname, gzipSync(body).length)));
  });
  const bearer = await alice.tab().then((tab) => tab.evaluate(() => sessionStorage.getItem("nacre.token")));
  await page.goto(`${stage.worker.url}/#token=${bearer}`);
  await page.getByRole("tree", { name: "Contexts" }).waitFor();
  await Promise.all(bodies);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.size >= 4, `page, script, style, module: ${[...sizes.keys()]}`);
  console.log(
    `first view: ${total} bytes with gzip (${[...sizes].map(([path, size]) => `${path} ${size}`).join(", ")})`,
  );
  assert.ok(total <= Number(limit.replaceAll("_", "")), `${total} of ${limit} bytes`);
  await alice.close();
});

test("a token comes by link or by hand, and leaves the address", async () => {
  const alice = await stage.person();
  const page = await alice.tab();
  assert.equal(new URL(page.url()).hash, "");
  const bearer = await page.evaluate(() => sessionStorage.getItem("nacre.token"));

  const fresh = await alice.context.newPage();
  await fresh.goto(stage.worker.url);
  const field = fresh.getByLabel("Token");
  await field.fill("not a token");
  await fresh.getByRole("button", { name: "Open" }).click();
  await fresh.getByText("This is no token").waitFor();
  await field.fill(`Bearer ${bearer}`);
  await fresh.getByRole("button", { name: "Open" }).click();
  await fresh.getByRole("tree", { name: "Contexts" }).waitFor();
  await fresh.getByRole("button", { name: "alice" }).click();
  await fresh.getByRole("button", { name: "Sign out" }).click();
  await fresh.getByLabel("Token").waitFor();
  await alice.close();
});

test("back and forward lead to every place that was seen, the first one too, and the title says which", async () => {
  const alice = await stage.person();
  const page = await alice.tab();
  const shown = (title, heading) =>
    eventually(async () => {
      assert.equal(await page.title(), `${title} · Nacre`);
      assert.equal(await page.locator(".title").textContent(), heading);
    });
  await shown("global", "global");
  await page.locator('[data-key="project/shop"]').click();
  await shown("project shop", "shop");
  await page.locator('[data-key="task/synonyms"]').click();
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByRole("slider").waitFor();
  await page.goBack();
  await page.goBack();
  await shown("project shop", "shop");
  await page.goBack();
  await shown("global", "global");
  await page.goForward();
  await page.goForward();
  await page.goForward();
  await shown("task synonyms", "synonyms");
  await page.reload();
  await page.getByRole("slider").waitFor();
  await shown("task synonyms", "synonyms");
  await alice.close();
});

test("a link with a token opens in a tab that shows the page already", async () => {
  const alice = await stage.person();
  const page = await alice.context.newPage();
  await page.goto(stage.worker.url);
  await page.getByLabel("Token").waitFor();
  for (const user of ["alice", "bob"]) {
    await page.evaluate((token) => (location.hash = `token=${token}`), stage.token(user));
    if (user === "bob") await page.getByRole("button", { name: "Sign in as bob" }).click(); // alice is there
    await page.getByRole("button", { name: user, exact: true }).waitFor();
    assert.equal(new URL(page.url()).hash, "");
  }
  await alice.close();
});

test("each value shows its layer, its origin and what it hides", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/task/cart-latency");
  const model = value(page, "/models/default");
  await model.getByText("large").waitFor();
  assert.equal(await letters(page, "/models/default"), "T");
  assert.equal(await letters(page, "/models/max_tokens"), "G");
  const colour = (pointer) =>
    value(page, pointer)
      .locator(".scalar")
      .evaluate((one) => getComputedStyle(one).color);
  assert.notEqual(await colour("/models/default"), await colour("/models/max_tokens"));
  await value(page, "/payment/api_key").getByText("sealed").waitFor();

  await model.click();
  const card = page.getByRole("complementary", { name: "Origin of a value" });
  const said = card.getByRole("list", { name: /Layers that say/ }).getByRole("listitem");
  await eventually(async () => assert.equal(await said.count(), 2)); // what explains a value is loaded now
  assert.match(await said.nth(0).innerText(), /task[\s\S]*cart-latency[\s\S]*large[\s\S]*set by alice/);
  assert.match(await said.nth(1).innerText(), /global[\s\S]*small[\s\S]*hidden/);

  await page.getByLabel("Filter names and values").fill("replicas");
  await eventually(async () => assert.equal(await page.locator(".values .scalar").count(), 3));
  await alice.close();
});

test("an item of a merged list shows what each layer says of that item, wherever it has it", async () => {
  const alice = await stage.person();
  const objects = { list: [{ at: "above" }], once: [{ a: 1 }], none: "" };
  const rules = { "/list": "append", "/once": "union" };
  await stage.api.put("/v1/contexts/project/lists", { data: objects, rules });
  const below = { list: [{ at: "below" }], once: [{ b: 2 }, { a: 1 }] };
  await stage.api.put("/v1/contexts/branch/lists.below", { parent: "lists", data: below });
  const page = await alice.tab("#/task/cart-latency");
  const said = page.getByRole("list", { name: /Layers that say/ }).getByRole("listitem");
  const look = async (expected) => {
    for (const [pointer, layers] of Object.entries(expected)) {
      await value(page, pointer).click();
      await page.getByRole("heading", { name: pointer, exact: true }).waitFor();
      await said.first().waitFor(); // what explains a value is loaded with the first one
      const told = await said.evaluateAll((all) =>
        all.map((one) => [one.querySelector(".tag").textContent, one.querySelector("pre")?.textContent]),
      );
      assert.deepEqual(told, layers, pointer);
    }
  };
  await look({
    "/services/0/replicas": [
      ["branch", "4"],
      ["project", "2"],
    ],
    "/services/1/port": [["project", "8082"]],
    "/services/2/port": [["branch", "8083"]],
    "/guidelines/0": [["global", "prefer boring technology"]],
    "/guidelines/3": [["branch", "no new cookies"]],
    "/conventions/reviews/owners/1": [
      ["branch", "shop"],
      ["project", "shop"],
    ],
  });
  await page.evaluate(() => (location.hash = "#/branch/lists.below"));
  assert.match(await value(page, "/none").textContent(), /""$/, "an empty text is seen");
  await look({
    "/none": [["project", '""']],
    "/list/0/at": [["project", "above"]],
    "/list/1/at": [["branch", "below"]],
    "/once/0/a": [
      ["branch", "1"],
      ["project", "1"],
    ],
    "/once/1/b": [["branch", "2"]],
  });
  await stage.api.delete("/v1/contexts/project/lists?cascade=true");
  await alice.close();
});

test("what a write would change below is told before it is made, and what is locked is refused", async () => {
  const alice = await stage.person();
  const page = await alice.tab("#/global/global");
  await value(page, "/models/default").click();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("New value").fill("medium");
  const preview = page.getByRole("region", { name: "What this changes" });
  await preview.getByText("Decided for themselves").waitFor();
  assert.match(await preview.innerText(), /6 views change, 2 stay/);
  assert.match(await preview.innerText(), /"small"[\s\S]*"medium"/);
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.evaluate(() => (location.hash = "#/project/shop/layer"));
  const data = page.getByLabel("Data");
  const text = await data.inputValue();
  await data.fill(text.replace("{", '{ "security": { "tls": "1.0" },'));
  await page.getByText("locked").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
  await data.fill(text.replace('"language": ', '"language" '));
  await page.getByText(/Line \d+, column \d+/).waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
  // The mistake is told where it is, whatever it is: engines do not say so for a stray word.
  for (const [right, wrong, message] of [
    ['"TypeScript"', "TypeScript", "Expected a value"],
    ['"vitest"', "'vitest'", "Expected a value"],
    ['"reviews"', "", "Expected a name in quotes, or }"],
  ]) {
    await data.fill(text.replace(right, wrong));
    const before = text.slice(0, text.indexOf(right)).split("\n");
    await page
      .getByText(`Line ${before.length}, column ${before.at(-1).length + 1}: ${message}`, { exact: true })
      .waitFor();
  }
  const { body } = await stage.api.get("/v1/contexts/project/shop");
  assert.equal(body.version, 1, "looking changes nothing");
  await alice.close();
});

/** A project whose integers JavaScript's numbers do not hold. */
async function digits() {
  const written = '{"data":{"big":9007199254740993,"list":[12345678901234567890],"note":"x"}}';
  await stage.api.put("/v1/contexts/project/digits", written);
  return async () => (await stage.api.get("/v1/contexts/project/digits")).text;
}

test("integers are shown, edited and put back with every digit", async () => {
  const stored = await digits();
  const alice = await stage.person();
  const page = await alice.tab("#/project/digits");
  await value(page, "/big").getByText("9007199254740993").waitFor();
  await value(page, "/list/0").getByText("12345678901234567890").waitFor();
  await page.getByRole("tab", { name: "Layer" }).click();
  const data = page.getByLabel("Data");
  const save = page.getByRole("button", { name: "Save", exact: true });
  const text = await data.inputValue();
  assert.match(text, /9007199254740993[\s\S]*12345678901234567890/);
  await data.fill(text.replace("9007199254740993", "9007199254740995").replace("[", "[1,"));
  await page.getByRole("region", { name: "What this changes" }).getByText("9007199254740995").first().waitFor();
  await save.click();
  await eventually(async () =>
    assert.match(await stored(), /"big":9007199254740995,"list":\[1,12345678901234567890\]/),
  );
  // With rules the whole layer is put anew.
  await page.getByText("Rules: how paths merge").click();
  await page.getByLabel("Rules").fill('{"/list":"union"}');
  await save.click();
  await eventually(async () => assert.match(await stored(), /"big":9007199254740995,.*"rules":\{"\/list":"union"\}/));

  await page.getByRole("tab", { name: "View" }).click();
  await value(page, "/big").click();
  const card = page.getByRole("complementary", { name: "Origin of a value" });
  await card.getByText("9007199254740995").waitFor();
  await page.getByRole("button", { name: "Change" }).click();
  assert.equal(await page.getByLabel("New value").inputValue(), "9007199254740995");
  await page.getByLabel("New value").fill("9007199254740997");
  await save.click();
  await eventually(async () => assert.match(await stored(), /"big":9007199254740997/));
  await alice.close();
});

test("a browser that cannot but round integers says so, and writes none of them", async () => {
  const stored = await digits();
  const alice = await stage.person();
  await alice.context.addInitScript(() => {
    const { parse } = JSON;
    JSON.parse = (text, reviver) => parse(text, reviver && ((name, value) => reviver(name, value)));
    delete JSON.rawJSON;
  });
  const page = await alice.tab("#/project/digits/layer");
  await page.getByText("which this browser rounds").waitFor();
  const data = page.getByLabel("Data");
  const text = await data.inputValue();
  await data.fill(text.replace("[", "[1,"));
  await page.getByText("What stands at /list holds integers beyond 2^53").waitFor();
  await data.fill(text.replace('"x"', '"y"'));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await eventually(async () => {
    assert.match(await stored(), /"big":9007199254740993,"list":\[12345678901234567890\],"note":"y"/);
  });
  await alice.close();
});

const shared = process.env.NACRE_SHARED ?? join(root, "..", "shared");
const govuk = join(shared, "data/layers/govuk.ndjson.gz");
const skip = existsSync(govuk) ? false : `skipped: ${govuk} is missing`;
if (skip) console.error(skip);

test("real contexts, hundreds of them and thousands of values, are found and read", { skip }, async () => {
  const lines = gunzipSync(readFileSync(govuk)).toString();
  const answer = await stage.worker.api("gov").post("/v1/import", lines, { "content-type": "application/x-ndjson" });
  assert.equal(answer.status, 200, answer.text);
  const items = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const gov = await stage.person({}, "gov");
  const page = await gov.tab("#/global/global");
  const contexts = page.getByRole("tree", { name: "Contexts" }).getByRole("treeitem");
  await eventually(async () => assert.equal(await contexts.count(), items.length));
  await page.getByLabel("Filter names and values").fill("app_domain_internal");
  await value(page, "/app_domain_internal").waitFor();
  const task = items.find(({ level }) => level === "task");
  await page.getByLabel("Find a context").fill(task.id);
  await page.locator(`[data-key="task/${task.id}"]`).click();
  await page.getByRole("heading", { name: task.id, exact: true }).waitFor();
  const { body } = await stage.worker.api("gov").get(`/v1/contexts/task/${task.id}/resolved?explain=true`);
  const [pointer, origin] = Object.entries(body.origins).find(([, { level }]) => level === "task");
  await page.getByLabel("Filter names and values").fill(pointer);
  assert.equal(await letters(page, pointer), origin.level[0].toUpperCase());
  await counted(page, "Queue", 0).waitFor();

  // After a reload its row is in sight, far down as it may be, and is the one that Tab reaches.
  const ids = items
    .filter(({ level }) => level === "task")
    .map(({ id }) => id)
    .sort();
  await page.evaluate((id) => (location.hash = `#/task/${id}`), ids.at(-1));
  await page.reload();
  const row = page.locator(`[data-key="task/${ids.at(-1)}"]`);
  await eventually(async () => {
    const [top, bottom, height] = await row.evaluate((one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return [top, bottom, innerHeight];
    });
    assert.ok(top >= 0 && bottom <= height, `from ${top} to ${bottom} of ${height}`);
    assert.equal(await row.getAttribute("tabindex"), "0");
  });
  await gov.close();
});
