// Replicas in a network that goes wrong at random: two tabs of one device and a second device write
// while requests are refused, delayed, lost and answered by others. When the network is well again,
// every write has come to one end that was told once, all show what the server has, and that soon.
//
// `NACRE_SEED=7` runs one seed, `NACRE_SEEDS=20` so many, from `NACRE_SEED` on if that is set too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { diced } from "./dice.mjs";
import { faultyNetwork } from "./faulty-network.mjs";
import { setUp, token } from "./stage.mjs";
import { BEGINNING, Writer } from "./writer.mjs";

/** How many milliseconds everything may take once the network is well. */
const PATIENCE = 10_000;
/** How many writes each replica makes. */
const WRITES = 14;
/** How many seeds run at once: most of the time each of them waits. */
const LANES = 4;
/** How many seeds may fail before the rest is left out. */
const ENOUGH = 3;
/** How many of the last events a failure shows. */
const LAST = 50;
const ENDS = ["done", "conflict", "discarded"];

const { NACRE_SEED: FROM, NACRE_SEEDS: COUNT = FROM === undefined ? 200 : 1 } = process.env;

const stage = setUp({
  answer: (path) => {
    const [, name, sub] = /^\/(dice\.mjs|writer\.mjs|token)(?:\/(.*))?$/.exec(path) ?? [];
    if (name === "token") return { body: bearer(sub) };
    const headers = { "content-type": "text/javascript" };
    return name && { headers, body: readFileSync(join(import.meta.dirname, name)) };
  },
});

let tokens = 0;
/** A token that was never given before: one that is said to have expired is not shown again. */
const bearer = (sub) => token({ sub, jti: String(++tokens) }, stage.worker.secret);

// ─── Two devices ─────────────────────────────────────────────────────────────────────────────────

/** What several seeds use, one after the other: a network, and two tabs of one browser profile. */
async function openLane() {
  const network = await faultyNetwork(stage.worker.url, stage.site.url);
  const context = await stage.browser.newContext();
  const thrown = [];
  const tabs = await Promise.all(
    ["first", "second"].map(async (name) => {
      const page = await context.newPage();
      page.on("pageerror", (error) => thrown.push(`${name}: ${error.stack}`));
      await page.goto(network.url);
      return { name, page };
    }),
  );
  return { network, tabs, thrown, close: () => Promise.all([context.close(), network.close()]) };
}

/** The writers of one seed, each as an object whose methods may be called wherever it is. */
async function startWriters({ network, tabs: [first, second] }, sub, seed) {
  const dice = diced(seed);
  const device = new Writer("device", dice(2 ** 31), () =>
    stage.nacre.open({ url: `${network.url}/node`, token: () => bearer(sub), storage: "memory" }),
  );
  await device.start();
  const onNode = remote("device", (method, given) => device[method](...given));
  return [
    { ...onNode, end: () => device.replica.close() },
    await startTab(first, sub, dice),
    await startTab(second, sub, dice, dice(4) === 0),
  ];
}

/** A writer in a tab. With `crashes` the page is loaded anew once, whatever is under way. */
async function startTab({ name, page }, sub, dice, crashes = false) {
  const start = () =>
    page.evaluate(
      async ([name, seed, sub]) => {
        globalThis.nacre ??= await import("/package/index.js");
        globalThis.Writer ??= (await import("/writer.mjs")).Writer;
        const token = async () => (await fetch(`/token/${sub}`)).text();
        const open = () => nacre.open({ url: `${location.origin}/tabs`, token, online: true });
        globalThis.writer = new Writer(name, seed, open);
        // The first one stays, and hears all that is told on this device.
        writer.reopen = name === "second" && (() => writer.replica.close().then(() => writer.start()));
        await writer.start();
      },
      [name, dice(2 ** 31), sub],
    );
  await start();
  const tab = remote(name, (method, given) =>
    page.evaluate(([method, given]) => writer[method](...given), [method, given]),
  );
  let before;
  return {
    ...tab,
    crashes,
    async storm(from, upto) {
      if (crashes) {
        await tab.storm(from, upto / 2);
        before = await tab.report();
        await page.reload();
        await start();
      }
      await tab.storm(crashes ? upto / 2 : from, upto);
    },
    async report() {
      const after = await tab.report();
      if (!before) return after;
      const told = { ...before.told };
      for (const [key, states] of Object.entries(after.told)) told[key] = [...(told[key] ?? []), ...states];
      const lists = ["events", "written", "conflicts", "faults"];
      return {
        ...after,
        wasAway: true,
        told,
        ...Object.fromEntries(lists.map((list) => [list, [...before[list], ...after[list]]])),
      };
    },
    end: () => page.evaluate(() => writer.replica.erase().catch(() => {})), // by the other one, at last
  };
}

const remote = (name, call) => {
  const methods = ["storm", "reconnect", "settled", "isSettled", "shown", "report"];
  return { name, ...Object.fromEntries(methods.map((method) => [method, (...given) => call(method, given)])) };
};

// ─── One seed ────────────────────────────────────────────────────────────────────────────────────

/** Runs one seed; gives how many milliseconds it took from a network that is well until all was. */
async function soak(lane, seed) {
  const { network, thrown } = lane;
  const sub = `soak-${seed}`;
  const api = stage.worker.api(sub);
  assert.equal((await api.post("/v1/batch", { operations: BEGINNING })).status, 200);
  const happened = [];
  const writers = await startWriters(lane, sub, seed);
  try {
    network.worsen(seed, (device, fault) => happened.push([Date.now(), `      ${device} ${fault}`]));
    await within(3 * PATIENCE, "writing", () => Promise.all(writers.map((writer) => writer.storm(0, WRITES))));
    network.heal();
    const since = Date.now();
    happened.push([since, "      the network is well"]);
    const seq = await within(PATIENCE, "settling", () => settle(writers, api));
    const took = Date.now() - since;
    await checkViews(writers, api, seq);
    const reports = await Promise.all(writers.map((writer) => writer.report()));
    const mayMiss = writers.some(({ crashes }) => crashes); // what the tab was about to tell as it ended
    checkEnds(reports, mayMiss);
    await checkServer(reports, api, network.doubtful());
    assert.deepEqual(thrown, []);
    for (const writer of writers) await writer.end();
    return took;
  } catch (error) {
    const reports = await Promise.all(writers.map((writer) => writer.report()));
    const events = [...happened, ...reports.flatMap(({ events }) => events)].sort(([a], [b]) => a - b);
    // What befell the write that the error names may be long ago.
    const [key = "no write"] = /[0-9a-f]{32}/.exec(error.message) ?? [];
    const shown = events.filter(([, what], n) => n >= events.length - LAST || what.includes(key));
    const told = shown.map(([at, what]) => `${at - (events[0]?.[0] ?? 0)} ms ${what}`);
    await writers[0].end();
    const statuses = reports.map(({ name, status }) => `${name}: ${status}`);
    throw new Error([`seed ${seed}: ${error.message}`, ...statuses, ...told].join("\n"), { cause: error });
  }
}

/** Ends with an error when an act takes longer. */
async function within(time, what, act) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes more than ${time} ms`)), time);
  });
  return Promise.race([act(), late]).finally(() => clearTimeout(timer));
}

/** Waits until nothing is left to do anywhere; gives the seq of the server that all have reached. */
async function settle(writers, api) {
  await Promise.all(writers.map((writer) => writer.reconnect()));
  for (;;) {
    await Promise.all(writers.map((writer) => writer.settled()));
    const seq = await seqOf(api);
    await Promise.all(writers.map((writer) => writer.settled(seq)));
    const all = await Promise.all(writers.map((writer) => writer.isSettled(seq)));
    if (all.every(Boolean) && (await seqOf(api)) === seq) return seq;
  }
}

const seqOf = async (api) => Number((await api.get("/v1/contexts?limit=1")).headers.get("nacre-seq"));

/** All replicas show, byte for byte, what the server answers. */
async function checkViews(writers, api, seq) {
  const { items } = (await api.get("/v1/contexts?limit=200")).body;
  const views = await Promise.all(
    items.map(async ({ level, id }) => (await api.get(`/v1/contexts/${level}/${id}/resolved`)).text),
  );
  const notes = async (kind) => (await api.get(`/v1/contexts/task/home/${kind}?limit=200`)).body.items;
  const [insights, progress] = [await notes("insights"), await notes("progress")];
  for (const writer of writers) {
    const shown = await writer.shown();
    const theirs = { views: views.map((text) => JSON.parse(text)), insights, progress, error: undefined };
    assert.deepEqual({ ...shown, views: shown.views.map(({ view }) => view) }, theirs, `${writer.name} shows others`);
    for (const [at, { text, id }] of shown.views.entries()) {
      assert.ok(views[at].includes(`"data":${text},"hash"`), `${writer.name}: ${id} has other bytes: ${text}`);
      assert.equal(shown.views[at].view.seq, seq);
    }
  }
}

/** Every write came to one end, and it was told once in every tab. A tab that was not there for a while
 * may have missed it, but hears it no second time. */
function checkEnds([device, first, second], mayMiss) {
  for (const [report, written, isThere] of [
    [device, device.written, true],
    [first, [...first.written, ...second.written], !mayMiss],
    [second, [...first.written, ...second.written], !mayMiss && !second.wasAway],
  ]) {
    assert.deepEqual(report.faults, [], report.name);
    for (const key of new Set([...written.map(({ key }) => key), ...Object.keys(report.told)])) {
      const told = report.told[key] ?? [];
      const ends = told.filter((state) => ENDS.includes(state));
      const isEnded = ends.length === 1 && told.at(-1) === ends[0];
      const isMissed = !isThere && ends.length === 0;
      assert.ok(isEnded || isMissed, `${report.name}: ${key} was told to be ${told.join(", ") || "nothing"}`);
    }
  }
}

/** What is done is on the server, once; what was discarded is not, unless nobody could know. */
async function checkServer([device, first, second], api, doubtful) {
  const text = (await api.get("/v1/export")).text;
  const lines = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const home = lines.find(({ level, id }) => level === "task" && id === "home");
  const { log } = home.data;
  const contents = [...home.insights, ...home.progress].map(({ content }) => content);
  const places = lines.map(({ level, id }) => `${level}/${id}`);
  const conflicts = [device, first, second].flatMap((report) => report.conflicts).join();
  const devices = [
    { written: device.written, told: device.told },
    { written: [...first.written, ...second.written], told: first.told },
  ];
  for (const { written, told } of devices) {
    for (const { key, kind, context, at, value } of written) {
      const end = told[key]?.find((state) => ENDS.includes(state));
      if (["append", "add_insight", "add_progress"].includes(kind)) {
        const times = (kind === "append" ? log : contents).filter((there) => there === value).length;
        const isKnown = end !== undefined && !doubtful.has(key);
        const isRight = isKnown ? times === (end === "done" ? 1 : 0) : times <= 1;
        assert.ok(isRight, `${key} (${kind} of ${value}) is ${end}, and on the server ${times} times`);
      } else if (["update", "put", "create"].includes(kind) && end === "done" && places.includes(context)) {
        // What its own writer wrote over may have gone along with a conflict.
        const isOver = written.some((later) => later.context === context && later.at >= at && later.key !== key);
        const isThere = text.includes(`"${value}"`) || conflicts.includes(`"${value}"`);
        assert.ok(isThere || isOver, `${key} (${kind} of ${value}) is done, and nowhere in the history`);
      }
    }
  }
}

const NAME = "soak: whatever goes wrong, every write has one end, and all show what the server has";
test(NAME, { timeout: 900_000 }, async () => {
  const from = Number(FROM ?? 0);
  const seeds = Array.from({ length: Number(COUNT) }, (_, n) => from + n).values();
  const [failures, times] = [[], []];
  const run = async () => {
    let lane;
    for (const seed of seeds) {
      if (failures.length >= ENOUGH) break;
      lane ??= await openLane();
      try {
        times.push(await soak(lane, seed));
      } catch (error) {
        failures.push(error.stack);
        await lane.close();
        lane = undefined;
      }
    }
    await lane?.close();
  };
  await Promise.all(Array.from({ length: LANES }, run));
  assert.equal(failures.length, 0, failures.join("\n\n"));
  assert.equal(times.length, Number(COUNT));
  console.log(`${times.length} seeds; the slowest was at rest ${Math.max(...times)} ms after the network was well`);
});
