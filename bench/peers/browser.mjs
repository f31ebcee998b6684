// Replicas in headless Chromium, by way of the packed package, on a real workerd.
//
// The first line on stdin is the sets of contexts, by name. Each further line asks for a turn:
//
//   <set> bytes | text | deepmerge    nanoseconds for one view, in a page that holds the set
//   open                              nanoseconds from a new tab's import of the package to its first
//                                     view, with 1,000 contexts kept in IndexedDB
//   first <set>                       nanoseconds from a new profile's import of the package to its
//                                     first view, on a line of 1.6 Mbit/s with 150 ms of latency,
//                                     on a processor a fourth as fast; files and export with gzip
//   queue                             1,000 writes queued offline and sent: {queued, sent} in
//                                     nanoseconds, and how many requests it took

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

import { launch, root, serve, startWorker, token, unpacked } from "../../tests/browser/stage.mjs";

const deepmerge = readFileSync(join(root, "node_modules/deepmerge/dist/cjs.js"), "utf8");
const files = unpacked();
const site = await serve(files.folder, (path) =>
  path === "/deepmerge.mjs"
    ? {
        headers: { "content-type": "text/javascript" },
        body: `const module = {};${deepmerge}\nexport default module.exports;`,
      }
    : undefined,
);
const [worker, browser] = [await startWorker(), await launch()];

/** A user with these contexts, and a profile. */
async function person(sub, contexts) {
  const api = worker.api(sub);
  for (let at = 0; at < contexts.length; at += 400) {
    const lines = contexts
      .slice(at, at + 400)
      .map((one) => JSON.stringify(one))
      .join("\n");
    const said = await api.post("/v1/import", lines, { "content-type": "application/x-ndjson" });
    assert.equal(said.status, 200, said.text);
  }
  const options = { url: worker.url, token: token({ sub }, worker.secret) };
  const profile = await browser.newContext();
  const tab = async () => {
    const page = await profile.newPage();
    await page.goto(site.url);
    return page;
  };
  return { api, options, tab };
}

/** In a page: what takes turns on the views of a set. */
async function prepare([options, contexts]) {
  const { open } = await import("/package/index.js");
  const { default: deepmerge } = await import("/deepmerge.mjs");
  const replica = await open({ ...options, storage: "memory" });
  const all = new Map(contexts.map((one) => [`${one.level}/${one.id}`, one]));
  const above = { project: "global", branch: "project", task: "branch" };
  const views = contexts.map((one) => {
    const layers = [one.data];
    for (let here = one; above[here.level]; layers.unshift(here.data)) {
      here = all.get(`${above[here.level]}/${here.parent ?? "global"}`);
    }
    return { level: one.level, id: one.id, layers };
  });
  // A sample of what is slow, spread over the set; arrays replace, they would be concatenated.
  const sample = views.filter((_, place) => place % Math.ceil(views.length / 60) === 0);
  const arrayMerge = (_, lower) => lower;
  const contestants = {
    bytes: [views, ({ level, id }) => replica.resolveBytes(level, id)],
    text: [views, ({ level, id }) => replica.resolveText(level, id)],
    deepmerge: [sample, ({ layers }) => JSON.stringify(deepmerge.all(layers, { arrayMerge }))],
  };
  // Where there are no tombstones the two are the same document.
  for (const { level, id, layers } of sample) {
    const [ours, theirs] = [replica.resolve(level, id), deepmerge.all(layers, { arrayMerge })];
    if (Object.keys(ours).length > Object.keys(theirs).length) throw new Error(`${level}/${id}`);
  }
  globalThis.turn = (name) => {
    const [views, act] = contestants[name];
    const begun = performance.now();
    let count = 0;
    do {
      views.forEach(act);
      count += views.length;
    } while (performance.now() - begun < 50);
    return ((performance.now() - begun) * 1e6) / count;
  };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const sets = JSON.parse((await lines.next()).value);
const pages = {};
const people = {};
for (const [name, contexts] of Object.entries(sets)) {
  const { options, tab } = await person(name, contexts);
  people[name] = options;
  pages[name] = await tab();
  await pages[name].evaluate(prepare, [options, contexts]);
}

/** 1,000 contexts of every level. */
function thousand() {
  const contexts = [{ level: "global", id: "global", data: { models: { default: "small" } } }];
  const add = (level, id, parent, data) => contexts.push({ level, id, parent, data });
  for (let p = 0; p < 9; p++) add("project", `p${p}`, "global", { name: `p${p}`, owners: ["a", "b"] });
  for (let b = 0; b < 90; b++) add("branch", `b${b}`, `p${b % 9}`, { name: `b${b}`, port: 8000 + b });
  const goal = "what was found out about it ".repeat(20);
  for (let t = 0; t < 900; t++) add("task", `t${t}`, `b${t % 90}`, { goal, steps: [1, 2, 3], notes: { n: t } });
  return contexts;
}

async function begin([options, keep]) {
  const begun = performance.now();
  const { open } = await import("/package/index.js");
  const replica = await open(options);
  replica.resolveBytes("task", "t0");
  const time = (performance.now() - begun) * 1e6;
  const { items } = replica.list({ limit: 200 });
  if (items.length !== 200) throw new Error(`${items.length} contexts`);
  if (!keep) await replica.close();
  return time;
}
const cold = await person("cold", thousand());
const first = await cold.tab();
await first.evaluate(begin, [cold.options, false]);
await first.close();

async function open() {
  const page = await cold.tab();
  const time = await page.evaluate(begin, [cold.options, true]);
  await page.close();
  return time;
}

/** The package's files as a web server sends them: compressed. */
const zipped = await serve(files.folder, (path) => {
  if (!path.startsWith("/package/")) return undefined;
  const headers = {
    "content-type": path.endsWith(".wasm") ? "application/wasm" : "text/javascript",
    "content-encoding": "gzip",
  };
  return { headers, body: gzipSync(readFileSync(join(files.folder, path))) };
});

/** The first time on a device: nothing is kept, and all of it comes over a slow line. */
async function fetched(set) {
  const profile = await browser.newContext();
  const page = await profile.newPage();
  await page.goto(zipped.url);
  const session = await profile.newCDPSession(page);
  const bytes = (1.6 * 1024 * 1024) / 8;
  const line = { offline: false, latency: 150, downloadThroughput: bytes, uploadThroughput: bytes };
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", line);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const { level, id } = sets[set].at(-1);
  const asked = [{ ...people[set], storage: "indexeddb" }, level, id];
  const time = await page.evaluate(async ([options, level, id]) => {
    const begun = performance.now();
    const { open } = await import("/package/index.js");
    const replica = await open(options);
    replica.resolveBytes(level, id);
    return (performance.now() - begun) * 1e6;
  }, asked);
  await profile.close();
  return time;
}

let queues = 0;
async function queue() {
  const contexts = [{ level: "project", id: "p", data: { log: [] } }];
  const { api, options, tab } = await person(`queue-${++queues}`, contexts);
  const page = await tab();
  let requests = 0;
  page.on("request", (asked) => {
    if (asked.url().endsWith("/v1/batch") && asked.method() === "POST") requests += 1;
  });
  const times = await page.evaluate(async (options) => {
    const { open } = await import("/package/index.js");
    const replica = await open(options);
    replica.online = false;
    const begun = performance.now();
    for (let n = 0; n < 1000; n++) await replica.append("project", "p", "/log", [n]);
    const queued = performance.now();
    replica.online = true;
    await replica.synced();
    return { queued: (queued - begun) * 1e6, sent: (performance.now() - queued) * 1e6 };
  }, options);
  const { log } = (await api.get("/v1/contexts/project/p")).body.data;
  assert.deepEqual(log, [...Array(1000).keys()], "each once, in order");
  await page.close();
  return JSON.stringify({ ...times, requests });
}

console.log("ready");
for await (const line of lines) {
  if (line === "open") console.log(await open());
  else if (line.startsWith("first ")) console.log(await fetched(line.slice("first ".length)));
  else if (line === "queue") console.log(await queue());
  else if (line === "version") console.log(`Chromium ${browser.version()}`);
  else {
    const [set, name] = line.split(" ");
    console.log(await pages[set].evaluate((name) => globalThis.turn(name), name));
  }
}
await browser.close();
site.close();
zipped.close();
await worker.stop();
files[Symbol.dispose]();
