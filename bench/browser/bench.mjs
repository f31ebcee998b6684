// The replica in headless Chromium: a cold open of 1,000 contexts, a view against deepmerge with
// JSON.stringify in the same page, and 1,000 queued writes sent.
//
//   node bench/browser/bench.mjs       after `cargo xtask build` and `cargo xtask npm`

import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { launch, root, serve, startWorker, token, unpacked } from "../../tests/browser/stage.mjs";

const shared = process.env.NACRE_SHARED ?? join(root, "..", "shared");
const large = join(shared, "data/layers/govuk.ndjson.gz");
const deepmerge = readFileSync(join(root, "node_modules/deepmerge/dist/cjs.js"), "utf8");
const files = unpacked();
const site = await serve(files.folder, (path) =>
  path === "/deepmerge.mjs"
    ? { headers: { "content-type": "text/javascript" }, body: `const module = {};${deepmerge}\nexport default module.exports;` }
    : undefined,
);
const [worker, browser] = [await startWorker(), await launch()];
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

/** A user with these contexts, and a profile. */
async function person(sub, lines) {
  const api = worker.api(sub);
  for (let at = 0; at < lines.length; at += 500) {
    const part = lines.slice(at, at + 500).join("\n");
    const said = await api.post("/v1/import", part, { "content-type": "application/x-ndjson" });
    if (said.status !== 200) throw new Error(said.text);
  }
  const options = { url: worker.url, token: token({ sub }, worker.secret) };
  const context = await browser.newContext();
  const tab = async () => {
    const page = await context.newPage();
    await page.goto(site.url);
    return page;
  };
  return { api, options, context, tab };
}

const open = async (options) => {
  const begun = performance.now();
  const { open } = await import("/package/index.js");
  globalThis.replica = await open(options);
  const first = globalThis.replica.resolveBytes("task", "t0").length;
  return { time: performance.now() - begun, first, count: globalThis.replica.list().items.length };
};

{
  const lines = [{ level: "global", id: "global", data: { models: { default: "small" } } }];
  for (let p = 0; p < 9; p++) lines.push({ level: "project", id: `p${p}`, data: { name: `p${p}`, owners: ["a", "b"] } });
  for (let b = 0; b < 90; b++) lines.push({ level: "branch", id: `b${b}`, parent: `p${b % 9}`, data: { name: `b${b}`, port: 8000 + b } });
  const text = "what was found out about it ".repeat(20);
  for (let t = 0; t < 900; t++) lines.push({ level: "task", id: `t${t}`, parent: `b${t % 90}`, data: { goal: text, steps: [1, 2, 3], notes: { n: t } } });
  const { options, tab, context } = await person("cold", lines.map((line) => JSON.stringify(line)));
  let page = await tab();
  await page.evaluate(open, options);
  await page.evaluate(() => replica.close());
  await page.close();
  const times = [];
  for (let n = 0; n < 9; n++) {
    page = await tab();
    const { time, count } = await page.evaluate(open, options);
    if (count !== 1000) throw new Error(`${count} contexts`);
    times.push(time);
    await page.close();
  }
  console.log(`cold open of 1,000 contexts to the first view: ${median(times).toFixed(0)} ms (median of 9, ${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)})`);
  await context.close();
}

if (existsSync(large)) {
  const lines = gunzipSync(readFileSync(large)).toString().trim().split("\n");
  const { options, tab, context } = await person("large", lines);
  const page = await tab();
  const said = await page.evaluate(async ([options, text]) => {
    const [{ open }, { default: deepmerge }] = [await import("/package/index.js"), await import("/deepmerge.mjs")];
    const replica = await open({ ...options, storage: "memory" });
    const all = text.split("\n").map((line) => JSON.parse(line));
    const byName = new Map(all.map((one) => [`${one.level}/${one.id}`, one]));
    const above = { project: "global", branch: "project", task: "branch" };
    const chains = all.map((one) => {
      const chain = [one];
      for (let here = one; above[here.level]; ) chain.unshift((here = byName.get(`${above[here.level]}/${here.parent ?? "global"}`)));
      return { level: one.level, id: one.id, layers: chain.map(({ data }) => data) };
    });
    const replace = { arrayMerge: (_, source) => source };
    const rate = (act) => {
      let [count, begun] = [0, performance.now()];
      while (performance.now() - begun < 3000) for (const chain of chains.slice(0, 40)) act(chain), count++;
      return (performance.now() - begun) / count;
    };
    const ours = ({ level, id }) => replica.resolveBytes(level, id);
    const texts = ({ level, id }) => replica.resolveText(level, id);
    const theirs = ({ layers }) => JSON.stringify(deepmerge.all(layers, replace));
    [ours, texts, theirs].forEach((act) => chains.slice(0, 40).forEach(act)); // warm
    return { ours: rate(ours), texts: rate(texts), theirs: rate(theirs), bytes: ours(chains.at(-1)).length };
  }, [options, lines.join("\n")]);
  const { ours, texts, theirs, bytes } = said;
  console.log(`a view of ${bytes} bytes: ${(ours * 1000).toFixed(0)} µs as bytes, ${(texts * 1000).toFixed(0)} µs as text; deepmerge + JSON.stringify ${(theirs * 1000).toFixed(0)} µs: ${(theirs / ours).toFixed(1)}× and ${(theirs / texts).toFixed(1)}×`);
  await context.close();
}

{
  const { api, options, tab, context } = await person("queue", [JSON.stringify({ level: "project", id: "p", data: { log: [] } })]);
  const page = await tab();
  let batches = 0;
  page.on("request", (request) => (batches += request.url().endsWith("/v1/batch") && request.method() === "POST" ? 1 : 0));
  const said = await page.evaluate(async (options) => {
    const { open } = await import("/package/index.js");
    const replica = await open(options);
    replica.online = false;
    let begun = performance.now();
    for (let n = 0; n < 1000; n++) await replica.append("project", "p", "/log", [n]);
    const queued = performance.now() - begun;
    begun = performance.now();
    replica.online = true;
    await replica.synced();
    return { queued, sent: performance.now() - begun };
  }, options);
  const { log } = (await api.get("/v1/contexts/project/p")).body.data;
  if (log.length !== 1000 || log.some((value, at) => value !== at)) throw new Error("not each once, in order");
  console.log(`1,000 writes: queued in ${said.queued.toFixed(0)} ms, sent in ${said.sent.toFixed(0)} ms with ${batches} requests, each once and in order`);
  await context.close();
}

await browser.close();
site.close();
await worker.stop();
files[Symbol.dispose]();
