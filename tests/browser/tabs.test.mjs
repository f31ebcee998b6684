// Several tabs with one replica: one of them leads, and another one takes over when it is stopped.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PLAIN_HOST, breakingProxy, setUp, until } from "./stage.mjs";

const stage = setUp();

/** Two tabs: the one that leads, and the other one. */
async function pair(someone) {
  const tabs = [await someone.tab(), await someone.tab()];
  for (const tab of tabs) {
    await tab.evaluate(() => {
      globalThis.errors = [];
      replica.on("error", ({ code }) => errors.push(code));
    });
  }
  const leading = () => Promise.all(tabs.map((tab) => tab.evaluate(() => replica.status.leader)));
  await until(async () => (await leading()).filter(Boolean).length === 1, "there is not one leader");
  return { leading, tabs: (await leading())[0] ? tabs : tabs.toReversed() };
}

const append = (tab, ...values) => tab.evaluate((values) => replica.append("project", "p", "/log", values), values);
const synced = (tab) => tab.evaluate(() => replica.synced({ signal: AbortSignal.timeout(10_000) }));
const errorsOf = async (tabs) => (await Promise.all(tabs.map((tab) => tab.evaluate(() => errors)))).flat();

/** Stops a tab by a dialog; `wake` closes it. */
async function stop(tab) {
  const shown = new Promise((resolve) => tab.once("dialog", resolve));
  await tab.evaluate(() => void setTimeout(() => alert("stopped")));
  const dialog = await shown;
  return { wake: () => dialog.dismiss() };
}

const KINDS = {
  "with Web Locks": () => stage.person(),
  "on an origin without TLS": () => stage.person({ site: { url: stage.site.url.replace("127.0.0.1", PLAIN_HOST) } }),
  "where Web Locks are denied": () =>
    stage.person({
      prepare: () => {
        LockManager.prototype.request = () => Promise.reject(new DOMException("denied", "SecurityError"));
      },
    }),
  "where Web Locks never come": () =>
    stage.person({
      prepare: () => {
        LockManager.prototype.request = () => new Promise(() => {});
      },
    }),
};

for (const [kind, someone] of Object.entries(KINDS)) {
  test(`${kind}, two tabs have one leader, and each write is sent once`, async () => {
    const mike = await someone();
    const { tabs, leading } = await pair(mike);
    const [leader, other] = tabs;
    const write = (tab, name) =>
      tab.evaluate(async (name) => {
        const all = [];
        for (let n = 0; n < 10; n++) all.push(replica.append("project", "p", "/log", [`${name}${n}`]));
        await Promise.all(all);
      }, name);
    await Promise.all([write(leader, "a"), write(other, "b")]);
    await synced(other);
    assert.deepEqual((await leading()).filter(Boolean).length, 1);
    assert.deepEqual(await errorsOf(tabs), []);

    await Promise.all([write(leader, "c"), write(other, "d")]);
    await leader.close();
    await until(() => other.evaluate(() => replica.status.leader), "nobody leads");
    await synced(other);
    const expected = ["a", "b", "c", "d"].flatMap((name) => Array.from({ length: 10 }, (_, n) => `${name}${n}`));
    assert.deepEqual((await mike.data()).log.sort(), expected.sort());
    assert.deepEqual(await errorsOf([other]), []);
    assert.deepEqual(await other.evaluate(() => replica.conflicts()), []);
    await mike.context.close();
  });

  test(`${kind}, another tab takes over from a leader that is stopped`, async () => {
    const nina = await someone();
    const { tabs, leading } = await pair(nina);
    const [leader, other] = tabs;
    await until(() => other.evaluate(() => replica.status.state === "online"), "never online");
    const stopped = await stop(leader);
    const state = await other.evaluate(async () => {
      await replica.append("project", "p", "/log", ["first"]);
      return replica.status.state;
    });
    assert.notEqual(state, "online", "nothing can be sent");
    await synced(other);
    assert.deepEqual((await nina.data()).log, ["first"]);
    assert.equal(await other.evaluate(() => replica.status.leader), true);

    await stopped.wake();
    await until(async () => (await leading()).filter(Boolean).length === 1, "both lead");
    await Promise.all([append(leader, "second"), append(other, "third")]);
    await Promise.all([synced(leader), synced(other)]);
    assert.deepEqual((await nina.data()).log.sort(), ["first", "second", "third"]);
    for (const tab of tabs) {
      await until(() => tab.evaluate(() => replica.status.state === "online"), "never online again");
      assert.deepEqual(await tab.evaluate(() => replica.resolve("project", "p").data.log.length), 3);
    }
    assert.deepEqual(await errorsOf(tabs), []);
    await nina.context.close();
  });
}

test("a leader that is stopped before it takes an answer in leaves it to the next one", async () => {
  const proxy = await breakingProxy(stage.worker.url);
  const olga = await stage.person({ url: proxy.url });
  const { tabs, leading } = await pair(olga);
  const [leader, other] = tabs;
  await until(() => leader.evaluate(() => replica.status.state === "online"), "never online");
  const shown = new Promise((resolve) => leader.once("dialog", resolve));
  await leader.evaluate(() => {
    const { fetch } = globalThis;
    globalThis.fetch = async (...asked) => {
      const answer = await fetch(...asked);
      if (String(asked[0]).endsWith("/v1/batch")) alert("stopped");
      return answer;
    };
    replica.append("project", "p", "/log", ["once"]);
  });
  const dialog = await shown;
  await until(() => other.evaluate(() => replica.status.leader), "nobody takes over");
  await append(other, "next");
  await synced(other);
  await other.evaluate(() => replica.update("project", "p", { after: 1 }));
  await synced(other);
  await dialog.dismiss();
  await until(async () => (await leading())[tabs.indexOf(leader)] === false, "it goes on leading");
  await until(
    () => leader.evaluate(() => replica.status.state === "online" && replica.resolve("project", "p").data.after === 1),
    "it does not follow",
  );
  assert.deepEqual(await olga.data(), { x: 1, after: 1, log: ["once", "next"] });
  for (const tab of tabs) {
    const { log } = await tab.evaluate(() => replica.resolve("project", "p").data);
    assert.deepEqual(log, ["once", "next"]);
    assert.deepEqual(await tab.evaluate(() => [replica.conflicts(), replica.pending()]), [[], []]);
  }
  assert.deepEqual(await errorsOf(tabs), []);
  await olga.context.close();
  proxy.close();
});
