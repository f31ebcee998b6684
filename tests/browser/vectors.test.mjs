// The vectors of every topic, through the core as wasm: they come out on Node and in headless Chromium
// as they do natively.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { launch, root, serve } from "./stage.mjs";

const built = join(root, "dist/topics");

/** What differs, and how many cases of each topic ran. Cases stay text: the module compares them. */
function run({ topics, differences }, cases) {
  const counts = Object.fromEntries(topics().map((topic) => [topic, 0]));
  const wrong = [];
  for (const { topic, file, text } of cases) {
    try {
      const said = differences(topic, text);
      if (said !== undefined) wrong.push(`${topic}/${file}: ${said}`);
      counts[topic] += 1;
    } catch (error) {
      wrong.push(`${topic}/${file}: ${error}`);
    }
  }
  return { counts, wrong };
}

const folder = join(root, "tests/vectors");
const cases = readdirSync(folder, { recursive: true })
  .filter((path) => path.endsWith(".json"))
  .filter((path) => ![`auth${sep}`, `errors${sep}http${sep}`].some((own) => path.startsWith(own))) // the Worker's
  .map((path) => {
    const parts = path.split(sep);
    return { file: parts.pop(), topic: parts.join("/"), text: readFileSync(join(folder, path), "utf8") };
  });

function judge({ counts, wrong }, t) {
  t.diagnostic(
    Object.entries(counts)
      .map(([topic, count]) => `${topic} ${count}`)
      .join(", "),
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    Object.keys(counts).filter((topic) => counts[topic] === 0),
    [],
    "without a case",
  );
  assert.equal(
    Object.values(counts).reduce((sum, count) => sum + count),
    cases.length,
  );
}

test("every vector comes out the same on Node", async (t) => {
  const module = await import(pathToFileURL(join(built, "topics.js")));
  module.initSync({ module: readFileSync(join(built, "topics_bg.wasm")) });
  judge(run(module, cases), t);
});

test("every vector comes out the same in Chromium", async (t) => {
  const [site, browser] = [await serve(built), await launch()];
  try {
    const page = await browser.newPage();
    await page.goto(site.url);
    const module = await page.evaluateHandle(async () => {
      const module = await import("/topics.js");
      await module.default();
      return module;
    });
    judge(await module.evaluate(run, cases), t);
  } finally {
    await browser.close();
    site.close();
  }
});
