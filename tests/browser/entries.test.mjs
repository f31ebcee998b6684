// Insights and progress notes of others: live, as changes are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { setUp, token, until } from "./stage.mjs";

const stage = setUp();

const soon = () => ({ signal: AbortSignal.timeout(10_000) });
const P = { level: "project", id: "p" };

/** A device of a user; `told` has the entries that it tells of. */
async function device(sub, more) {
  const bearer = token({ sub }, stage.worker.secret);
  const replica = await stage.nacre.open({ url: stage.worker.url, token: bearer, storage: "memory", ...more });
  const told = [];
  replica.on("entry", (event) => told.push(event));
  return { replica, told };
}

/** Resolves when so many entries have been told. */
const heard = ({ replica, told }, count) =>
  new Promise((resolve) => {
    const look = () => told.length >= count && (stop(), resolve());
    const stop = replica.on("entry", look);
    look();
  });

const contents = ({ items }) => items.map(({ content }) => content);

test("what a device learns appears on the other one at once", async () => {
  await stage.worker.api("entries-live").put("/v1/contexts/project/p", { data: {} });
  const [one, two] = [await device("entries-live"), await device("entries-live")];
  const called = [];
  for (const topic of [{ context: P }, { subtree: P }, "all"]) {
    two.replica.subscribe(topic, () => called.push([topic, contents(two.replica.insights("project", "p"))]));
  }
  await one.replica.addInsight("project", "p", { content: "learned", category: "c", importance: 0.5, agent: "a" });
  await Promise.all([heard(one, 1), heard(two, 1)]);
  const [{ entry, seq, ...event }] = two.told;
  assert.equal(seq, 2);
  assert.deepEqual(event, { level: "project", context_id: "p", kind: "insight", mine: false });
  assert.deepEqual([entry], two.replica.insights("project", "p").items);
  const { id, at, ...said } = entry;
  assert.deepEqual(said, { agent: "a", by: "entries-live", category: "c", content: "learned", importance: 0.5 });
  for (const topic of [{ context: P }, { subtree: P }, "all"]) {
    assert.ok(
      called.some(([asked, seen]) => JSON.stringify(asked) === JSON.stringify(topic) && seen.includes("learned")),
      JSON.stringify(topic),
    );
  }
  // Where it was written it is told as well, as one's own, and is there once.
  assert.deepEqual(one.told, [{ ...two.told[0], mine: true }]);
  assert.deepEqual(contents(one.replica.insights("project", "p")), ["learned"]);

  await two.replica.addProgress("project", "p", { content: "done" });
  await Promise.all([heard(one, 2), heard(two, 2)]);
  assert.deepEqual(
    [one, two].map(({ told: [, { kind, mine, entry }] }) => [kind, mine, entry.content]),
    [
      ["progress", false, "done"],
      ["progress", true, "done"],
    ],
  );
  assert.deepEqual(one.replica.progress("project", "p"), two.replica.progress("project", "p"));
  await Promise.all([one.replica.close(), two.replica.close()]);
});

test("what was learned while a device was offline appears when it is back, beside its own", async () => {
  await stage.worker.api("entries-offline").put("/v1/contexts/project/p", { data: {} });
  const [one, two] = [await device("entries-offline"), await device("entries-offline")];
  two.replica.online = false;
  await one.replica.addInsight("project", "p", { content: "first" });
  await one.replica.batch([
    { action: "add_progress", level: "project", context_id: "p", content: "step" },
    { action: "update", level: "project", context_id: "p", patch: { x: 1 } },
  ]);
  await one.replica.synced(soon());
  await two.replica.addInsight("project", "p", { content: "second" });
  assert.deepEqual(contents(two.replica.insights("project", "p")), ["second"]);
  two.replica.online = true;
  await two.replica.synced(soon());
  await Promise.all([heard(one, 3), heard(two, 3)]);
  assert.deepEqual(
    two.told.map(({ kind, entry, mine }) => [kind, entry.content, mine]),
    [
      ["insight", "first", false],
      ["progress", "step", false],
      ["insight", "second", true],
    ],
  );
  for (const { replica } of [one, two]) {
    assert.deepEqual(contents(replica.insights("project", "p")), ["second", "first"]);
    assert.deepEqual(contents(replica.progress("project", "p")), ["step"]);
    assert.equal(replica.resolve("project", "p").data.x, 1);
  }
  await Promise.all([one.replica.close(), two.replica.close()]);
});

test("a part of a store hears what is learned in it and above it, once, and nothing else", async () => {
  const api = stage.worker.api("entries-part");
  await api.put("/v1/contexts/global/global", { data: {} });
  for (const id of ["p", "q"]) await api.put(`/v1/contexts/project/${id}`, { data: {} });
  await api.put("/v1/contexts/branch/b", { parent: "p", data: {} });
  const part = await device("entries-part", { under: { level: "branch", id: "b" } });
  const whole = await device("entries-part");
  for (const [level, id] of [
    ["project", "q"],
    ["global", "global"],
    ["project", "p"],
    ["branch", "b"],
  ]) {
    await whole.replica.addInsight(level, id, { content: id });
    await whole.replica.synced(soon());
  }
  await Promise.all([heard(part, 3), heard(whole, 4)]);
  assert.deepEqual(
    part.told.map(({ entry }) => entry.content),
    ["global", "p", "b"],
  );
  assert.deepEqual(contents(part.replica.insights("project", "p")), ["p"]);
  await Promise.all([part.replica.close(), whole.replica.close()]);
});

test("every tab tells of what is learned elsewhere", async () => {
  const xia = await stage.person();
  const tabs = [await xia.tab(), await xia.tab()];
  for (const tab of tabs) {
    await tab.evaluate(() => {
      globalThis.entries = [];
      replica.on("entry", ({ kind, entry, mine }) => entries.push([kind, entry.content, mine]));
    });
  }
  await tabs[0].evaluate(() => replica.addProgress("project", "p", { content: "mine" }));
  await tabs[0].evaluate(() => replica.synced({ signal: AbortSignal.timeout(10_000) }));
  const elsewhere = await device(xia.sub);
  await elsewhere.replica.addInsight("project", "p", { content: "theirs" });
  for (const tab of tabs) {
    await until(() => tab.evaluate(() => entries.length === 2), "never told");
    assert.deepEqual(await tab.evaluate(() => entries), [
      ["progress", "mine", true],
      ["insight", "theirs", false],
    ]);
    assert.deepEqual(await tab.evaluate(() => replica.insights("project", "p").items[0].content), "theirs");
  }
  await elsewhere.replica.close();
  await xia.context.close();
});
