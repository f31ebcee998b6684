// Replicas against the real Worker, on Node and in headless Chromium.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { diced } from "./dice.mjs";
import { MERGE, breakingProxy, root, setUp, token, until } from "./stage.mjs";
import { exportOf, run } from "./resolve.mjs";

const stage = setUp({ answer: vectorAnswers });

// ─── Vectors ─────────────────────────────────────────────────────────────────────────────────────

const folder = join(root, "tests/vectors/resolve");
const vectors = readdirSync(folder).map((file) => ({
  name: file.slice(0, -5),
  text: readFileSync(join(folder, file), "utf8"),
}));

function vectorAnswers(path) {
  if (path === "/resolve.mjs") {
    return {
      headers: { "content-type": "text/javascript" },
      body: readFileSync(join(import.meta.dirname, "resolve.mjs")),
    };
  }
  const found = vectors.find(({ name }) => path === `/${name}/v1/export`);
  return found && { headers: { "nacre-seq": "4" }, body: exportOf(found.text) };
}

const anyone = () => token({ sub: "alice" }, "x".repeat(32));

test("the vectors of resolve come out the same on Node", async () => {
  assert.ok(vectors.length >= 10, `${vectors.length} vectors`);
  assert.deepEqual(await run(stage.nacre, stage.site.url, anyone(), vectors), []);
});

test("the vectors of resolve come out the same in Chromium", async () => {
  const page = await stage.browser.newPage();
  await page.goto(stage.site.url);
  const wrong = await page.evaluate(
    async ([base, bearer, all]) => {
      const { run } = await import("/resolve.mjs");
      return run(await import("/package/index.js"), base, bearer, all);
    },
    [stage.site.url, anyone(), vectors],
  );
  assert.deepEqual(wrong, []);
  await page.close();
});

// ─── Offline ─────────────────────────────────────────────────────────────────────────────────────

test("a replica opens without a network, is written to, and is brought together again", async () => {
  const proxy = await breakingProxy(stage.worker.url);
  const alice = await stage.person({ url: proxy.url });
  let page = await alice.tab();
  const view = await page.evaluate(() => replica.resolve("project", "p"));
  const theirs = (await alice.api.get("/v1/contexts/project/p/resolved")).body;
  assert.deepEqual(view, theirs);
  await page.close();

  // The files come from a cache in an app; here only the Worker is out of reach.
  proxy.pull(true);
  page = await alice.tab();
  assert.deepEqual(await page.evaluate(() => replica.resolve("project", "p")), theirs);
  await page.evaluate(async () => {
    await replica.update("project", "p", { y: 2 });
    await replica.create("branch", "b", { parent: "p", data: { z: 3 } });
    await replica.append("project", "p", "/log", ["offline"]);
  });
  assert.equal(await page.evaluate(() => replica.resolve("branch", "b").data.y), 2);
  await page.close();

  page = await alice.tab();
  const status = await page.evaluate(() => replica.status);
  assert.equal(status.queued, 3);
  assert.equal(await page.evaluate(() => replica.resolve("branch", "b").data.z), 3);
  await alice.api.patch("/v1/contexts/project/p", { q: 4 }, MERGE);
  await page.close();

  proxy.pull(false);
  page = await alice.tab();
  await page.evaluate(() => replica.synced({ signal: AbortSignal.timeout(20_000) }));
  assert.deepEqual(await alice.data(), { x: 1, y: 2, q: 4, log: ["offline"] });
  await alice.context.close();
  proxy.close();
});

test("the switch holds the network back, and lets it in again", async () => {
  const bob = await stage.person();
  const page = await bob.tab();
  await page.evaluate(() => (replica.online = false));
  await page.evaluate(() => replica.update("project", "p", { x: 2 }));
  await bob.api.patch("/v1/contexts/project/p", { x: 3, y: 1 }, MERGE);
  assert.equal(await page.evaluate(() => replica.status.state), "offline");
  await page.evaluate(async () => {
    replica.online = true;
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  const [conflict] = await page.evaluate(() => replica.conflicts());
  const { aspect, pointer, ancestor, theirs, mine } = conflict;
  assert.deepEqual(
    { aspect, pointer, ancestor, theirs, mine },
    { aspect: "data", pointer: "/x", ancestor: 1, theirs: 3, mine: 2 },
  );
  await page.evaluate(async (id) => {
    await replica.settle(id, { value: 5 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  }, conflict.id);
  assert.deepEqual(await bob.data(), { x: 5, y: 1, log: [] });
  assert.deepEqual(await page.evaluate(() => replica.conflicts()), []);
  await bob.context.close();
});

test("changes of others arrive at once, and views are the server's", async () => {
  const carol = await stage.person();
  const page = await carol.tab();
  await until(() => page.evaluate(() => replica.status.state === "online"), "it never is online");
  await carol.api.patch("/v1/contexts/global/global", { a: 7 }, MERGE);
  await until(() => page.evaluate(() => replica.resolve("project", "p").data.a === 7), "the change never came");
  const theirs = (await carol.api.get("/v1/contexts/project/p/resolved")).body;
  await until(
    async () => (await page.evaluate(() => replica.resolve("project", "p").seq)) === theirs.seq,
    "the seq is never the server's",
  );
  assert.deepEqual(await page.evaluate(() => replica.resolve("project", "p")), theirs);
  await carol.context.close();
});

test("two tabs share one replica, and send every write once", async () => {
  const dave = await stage.person();
  const [first, second] = [await dave.tab(), await dave.tab()];
  const leaders = async () => Promise.all([first, second].map((page) => page.evaluate(() => replica.status.leader)));
  await until(async () => (await leaders()).filter(Boolean).length === 1, "there is not one leader");
  await second.evaluate(() => replica.update("project", "p", { from: "second" }));
  await until(
    () => first.evaluate(() => replica.resolve("project", "p").data.from === "second"),
    "the first never sees it",
  );
  const write = (page, name) =>
    page.evaluate(async (name) => {
      const all = [];
      for (let n = 0; n < 25; n++) all.push(replica.append("project", "p", "/log", [`${name}${n}`]));
      await Promise.all(all);
    }, name);
  await Promise.all([write(first, "a"), write(second, "b")]);
  await second.evaluate(() => replica.synced({ signal: AbortSignal.timeout(20_000) }));

  // The leader goes while it has work to do.
  const [leader, other] = (await leaders())[0] ? [first, second] : [second, first];
  await Promise.all([write(leader, "c"), write(other, "d")]);
  await leader.close();
  await other.evaluate(() => replica.synced({ signal: AbortSignal.timeout(20_000) }));
  await until(() => other.evaluate(() => replica.status.leader), "nobody leads");
  const { log } = await dave.data();
  const expected = ["a", "b", "c", "d"].flatMap((name) => Array.from({ length: 25 }, (_, n) => `${name}${n}`));
  assert.deepEqual([...log].sort(), expected.sort());
  assert.deepEqual(await other.evaluate(() => replica.conflicts()), []);
  await dave.context.close();
});

test("erasing takes it off the device, in every tab", async () => {
  const erin = await stage.person();
  const [first, second] = [await erin.tab(), await erin.tab()];
  await first.evaluate(() => replica.erase());
  await until(
    () =>
      second.evaluate(() => {
        try {
          replica.get("project", "p");
        } catch (error) {
          return error.code === "closed";
        }
      }),
    "the second tab goes on",
  );
  const left = await first.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.deepEqual(
    left.filter((name) => name.startsWith("nacre ")),
    [],
  );
  await erin.context.close();
});

test("a token that is refused is told, and another one goes on where it was", async () => {
  const frank = await stage.person();
  const page = await frank.tab();
  await page.evaluate(() => replica.close());
  const forged = token({ sub: frank.sub }, "y".repeat(32));
  // A copy is here: nothing but the socket has to be asked for.
  await page.evaluate(
    async ([url, forged]) => {
      const { open } = await import("/package/index.js");
      Object.assign(globalThis, { bearer: forged, asked: 0, errors: [] });
      globalThis.replica = await open({ url, token: () => (globalThis.asked++, globalThis.bearer) });
      replica.on("error", ({ code, status }) => errors.push([code, status]));
    },
    [stage.worker.url, forged],
  );
  await until(() => page.evaluate(() => replica.status.error?.code === "unauthenticated"), "it never says so");
  await page.evaluate(() => replica.update("project", "p", { y: 2 }));
  await until(() => page.evaluate(() => errors.length >= 2 && asked >= 3), "each try asks for a token anew");
  assert.deepEqual(await page.evaluate(() => errors[0]), ["unauthenticated", 401]);
  assert.equal(await page.evaluate(() => replica.status.error.code), "unauthenticated", "a try is no success");
  await page.evaluate(async (good) => {
    globalThis.bearer = good;
    await replica.synced({ signal: AbortSignal.timeout(20_000) });
  }, frank.bearer);
  await until(() => page.evaluate(() => replica.status.error === null), "it goes on saying so");
  assert.equal((await frank.data()).y, 2);
  await frank.context.close();
});

// ─── Cut connections ─────────────────────────────────────────────────────────────────────────────

/** One user's writes over a line that breaks off; in the end the server has each of them once. */
async function cut(seed) {
  const sub = `cut-${seed}`;
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const dice = diced(seed);
  const proxy = await breakingProxy(stage.worker.url, () => ["before", "after"][dice(8)]);
  const replica = await stage.nacre.open({
    url: proxy.url,
    token: token({ sub }, stage.worker.secret),
    storage: "memory",
  });
  const expected = [];
  for (let n = 0; n < 150; n++) {
    expected.push(n);
    await replica.append("project", "p", "/log", [n]);
    if (dice(20) === 0) await api.patch("/v1/contexts/project/p", { [`s${n}`]: n }, MERGE);
    if (dice(30) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await replica.synced({ signal: AbortSignal.timeout(60_000) });
  const { log } = (await api.get("/v1/contexts/project/p")).body.data;
  assert.deepEqual(log, expected, `seed ${seed}`);
  assert.deepEqual(replica.conflicts(), []);
  await replica.close();
  proxy.close();
}

test("whatever is cut, no write is lost or done twice", { timeout: 240_000 }, async () => {
  // Side by side, for most of the time a replica waits before it tries again.
  const seeds = Array(Number(process.env.NACRE_SEEDS ?? 100)).keys();
  const lane = async () => {
    for (const seed of seeds) await cut(seed);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
});

test("what was deleted before a copy was made is listed, and comes back", async () => {
  const api = stage.worker.api("undeleter");
  for (const [path, body] of [
    ["project/p", { data: { x: 1 } }],
    ["branch/b", { data: { y: 2 }, parent: "p" }],
    ["project/q", { data: {} }],
    ["project/again", { data: {} }],
  ]) {
    await api.put(`/v1/contexts/${path}`, body);
  }
  for (const path of ["project/p?cascade=true", "project/q", "project/again"])
    assert.equal((await api.delete(`/v1/contexts/${path}`)).status, 200, path);
  await api.put("/v1/contexts/project/again", { data: { made: "anew" } });
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub: "undeleter" }, stage.worker.secret),
  });
  const { items, next_cursor } = await replica.deleted();
  const told = items.map(({ level, id, by, count }) => ({ level, id, by, count }));
  assert.deepEqual(told, [
    { level: "project", id: "q", by: "undeleter", count: 1 },
    { level: "project", id: "p", by: "undeleter", count: 2 },
  ]);
  assert.equal(next_cursor, null);
  const { version } = await replica.restore("project", "p", { summary: "needed" });
  assert.equal(version, 3);
  assert.deepEqual(replica.resolve("branch", "b").data, { x: 1, y: 2 });
  assert.deepEqual(
    (await replica.deleted()).items.map(({ id }) => id),
    ["q"],
  );
  await assert.rejects(replica.restore("project", "never"), { code: "not-found" });
  replica.online = false;
  await assert.rejects(replica.restore("project", "q"), { code: "not-found" });
  await replica.close();
});

for (const [cut, batches] of [
  ["after", 1],
  ["before", 2],
]) {
  test(`what was cut off ${cut} it was carried out, more than a day ago, is done once`, async () => {
    const sub = `old-${cut}`;
    const api = stage.worker.api(sub);
    await api.put("/v1/contexts/project/p", { data: { log: [] } });
    const { now } = Date;
    let first = true;
    const proxy = await breakingProxy(stage.worker.url, () => {
      if (!first) return undefined;
      first = false;
      Date.now = () => now() + 25 * 60 * 60 * 1000; // and that is when the device comes back
      return cut;
    });
    try {
      const replica = await stage.nacre.open({
        url: proxy.url,
        token: token({ sub }, stage.worker.secret),
        storage: "memory",
      });
      await Promise.all([
        replica.append("project", "p", "/log", ["once"]),
        replica.addInsight("project", "p", { content: "noted" }),
      ]);
      await replica.synced({ signal: AbortSignal.timeout(20_000) });
      // Sent again the server would know it: here a day is a moment. It is not asked to.
      assert.equal(proxy.batches(), batches);
      assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { log: ["once"] });
      await until(() => replica.insights("project", "p").items.length === 1, "the insight is not here");
      assert.deepEqual(replica.conflicts(), []);
      await replica.close();
    } finally {
      Date.now = now;
      proxy.close();
    }
  });
}

test("who takes a day to give a token has nothing done twice", async () => {
  const sub = "slow";
  const api = stage.worker.api(sub);
  await api.put("/v1/contexts/project/p", { data: { log: [] } });
  const [{ now }, { fetch }] = [Date, globalThis];
  let [asked, sent] = [0, 0];
  const proxy = await breakingProxy(stage.worker.url, () => (sent === 1 ? "after" : undefined));
  // The second time a flight goes out its token is refused.
  globalThis.fetch = async (url, init) => {
    if (String(url).endsWith("/v1/batch") && ++sent === 2) return new Response("{}", { status: 401 });
    return fetch(url, init);
  };
  try {
    const replica = await stage.nacre.open({
      url: proxy.url,
      storage: "memory",
      token: () => {
        if (++asked > 1) Date.now = () => now() + 25 * 60 * 60 * 1000;
        return token({ sub, exp: Math.floor(now() / 1000) + 3600 }, stage.worker.secret);
      },
    });
    await replica.append("project", "p", "/log", ["once"]);
    await replica.synced({ signal: AbortSignal.timeout(20_000) });
    assert.equal(asked, 2);
    assert.equal(proxy.batches(), 1);
    assert.deepEqual((await api.get("/v1/contexts/project/p")).body.data, { log: ["once"] });
    await replica.close();
  } finally {
    Date.now = now;
    globalThis.fetch = fetch;
    proxy.close();
  }
});

test("integers keep all their digits on the way", async () => {
  const api = stage.worker.api("digits");
  await api.put("/v1/contexts/project/p", '{"data":{"n":18446744073709551615}}');
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub: "digits" }, stage.worker.secret),
  });
  assert.equal(replica.resolveText("project", "p"), '{"n":18446744073709551615}');
  await until(() => replica.status.state === "online", "never online");
  await api.patch("/v1/contexts/project/p", '{"m":9007199254740993}', MERGE);
  await until(() => replica.resolveText("project", "p").includes("9007199254740993"), "the change never came");
  await replica.update("project", "p", { x: 1 });
  await replica.synced();
  assert.match((await api.get("/v1/contexts/project/p")).text, /"m":9007199254740993,"n":18446744073709551615,"x":1/);
  await replica.close();
});

test("a draft is brought forward onto what others wrote, and stands where both did", async () => {
  const sub = "drafts";
  const api = stage.worker.api(sub);
  const big = "18446744073709551615";
  const list = [
    { id: "a", v: 1 },
    { id: "b", v: 1 },
  ];
  const rules = { "/keyed": "keyed:id" };
  await api.put("/v1/contexts/project/p", { data: { both: 1, keyed: list, list: [1], mine: 1, theirs: 1 }, rules });
  const replica = await stage.nacre.open({ url: stage.worker.url, token: token({ sub }, stage.worker.secret) });
  const { data: base } = replica.get("project", "p");
  const theirs = [
    { id: "a", v: 2 },
    { id: "b", v: 1 },
  ];
  await replica.update("project", "p", { both: 2, keyed: theirs, list: [1, 2], theirs: 2 });
  const mine = [
    { id: "a", v: 1 },
    { id: "b", v: 3 },
  ];
  const draft = { both: 3, keyed: mine, list: [1, 3], mine: 2, theirs: 1 };
  assert.deepEqual(replica.merge("project", "p", { base, draft }), {
    data: {
      both: 3,
      keyed: [
        { id: "a", v: 2 },
        { id: "b", v: 3 },
      ],
      list: [1, 3],
      mine: 2,
      theirs: 2,
    },
    conflicts: ["/both", "/list"],
  });
  const text = replica.mergeText("project", "p", { base: JSON.stringify(base), draft: `{"mine":${big}}` });
  assert.match(text, new RegExp(`"mine":${big}`));
  assert.throws(() => replica.merge("project", "q", { base, draft }), { code: "not-found" });
  assert.throws(() => replica.merge("project", "p", { base }), { code: "invalid-request" });
  assert.throws(() => replica.merge("project", "p", { base: [], draft }), { code: "invalid-request" });
  assert.throws(() => replica.merge("project", "p", { base: "{", draft }), { code: "invalid-json" });
  await replica.close();
});

test("integers are read and written with all their digits", async () => {
  const sub = "exact";
  const api = stage.worker.api(sub);
  const [big, other] = ["18446744073709551615", "9007199254740993"];
  await api.put("/v1/contexts/project/p", `{"data":{"n":${big}}}`);
  const replica = await stage.nacre.open({ url: stage.worker.url, token: token({ sub }, stage.worker.secret) });
  assert.match(replica.getText("project", "p"), new RegExp(`"data":\\{"n":${big}\\}.*"version":1`));
  assert.match(
    replica.previewText("project", "p", { patch: `{"n":${other}}` }),
    new RegExp(`"after":${other},"before":${big}`),
  );

  await replica.update("project", "p", `{"patched":${big}}`);
  await replica.update("project", "p", `[{"op":"add","path":"/stepped","value":${other}}]`);
  await replica.append("project", "p", "/log", `[${big},${other}]`);
  for (const text of [
    replica.historyText("project", "p"),
    replica.diffText("project", "p", { from: 1 }),
    replica.viewDiffText("project", "p", { from: 1 }),
  ]) {
    assert.ok(text.includes(big) && text.includes(other), text);
  }
  await replica.create("branch", "b", { parent: "p", data: `{"made":${big}}` });
  await replica.batch([{ action: "put", level: "branch", context_id: "c", parent: "p", data: `{"put":${other}}` }]);
  for (const [n, source] of [
    `{"level":"branch","id":"d0",\n"parent":"p","data":{"n":${big}}}`,
    `[{"level":"branch","id":"d1","parent":"p","data":{"n":${big}}}]`,
  ].entries()) {
    await replica.import(source);
    assert.equal(replica.resolveText("branch", `d${n}`, { path: "/n" }), big);
  }
  await replica.synced();
  const stored = async (path) => JSON.stringify((await api.get(`/v1/contexts/${path}`)).text).replaceAll("\\", "");
  const text = await stored("project/p");
  for (const part of [`"patched":${big}`, `"stepped":${other}`, `"log":[${big},${other}]`])
    assert.ok(text.includes(part), text);
  assert.ok((await stored("branch/b")).includes(`{"made":${big}}`));
  assert.ok((await stored("branch/c")).includes(`{"put":${other}}`));
  assert.ok((await stored("branch/d1")).includes(`{"n":${big}}`));

  // A conflict keeps them, and so does its decision.
  for (const [choice, kept] of [
    ["mine", big],
    [{ text: other }, other],
  ]) {
    await until(() => replica.status.state === "online", "never online");
    replica.online = false;
    await replica.update("project", "p", `{"n":${big}}`);
    await api.patch("/v1/contexts/project/p", { n: kept }, MERGE);
    await replica.update("project", "p", `{"n":${big.replace("15", "14")}}`);
    await replica.update("project", "p", `{"n":${big}}`);
    await api.patch("/v1/contexts/project/p", `{"n":${choice === "mine" ? 1 : 2}}`, MERGE);
    replica.online = true;
    await replica.synced();
    // The first of the two changes decides the writes; what is settled must stand on the second.
    await until(() => [1, 2].includes(replica.conflicts()[0]?.theirs), "the last change never came");
    assert.match(replica.conflictsText(), new RegExp(`"mine":${big}`));
    await replica.settle(replica.conflicts()[0], choice);
    await replica.synced();
    assert.ok((await stored("project/p")).includes(`"n":${kept}`));
  }

  const refused = (act) => assert.rejects(act, ({ code, pointer }) => code === "invalid-json" && pointer === "/patch");
  await refused(replica.update("project", "p", '{"a":1},"level":"global"'));
  await refused(replica.update("project", "p", "{oh"));
  await replica.close();
});

test("a secret is a marker here, and travels in the clear to the server alone", async () => {
  const api = stage.worker.api("sealer", { scope: "contexts:read contexts:write secrets:reveal" });
  await api.put("/v1/contexts/project/p", { data: { x: 1 } });
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub: "sealer" }, stage.worker.secret),
  });
  await replica.update("project", "p", { password: "hunter2" });
  assert.doesNotMatch(replica.resolveText("project", "p"), /hunter2/);
  await replica.update("project", "p", { y: 2 });
  await replica.synced();
  const revealed = await api.get("/v1/contexts/project/p/resolved?reveal=true");
  assert.deepEqual(revealed.body.data, { password: "hunter2", x: 1, y: 2 });
  // The mark of a sealed value is the server's: it comes with the change, which may be after the
  // answer to the write. The reveal itself is a commit of which no one is told, so `seq` says nothing.
  await until(() => replica.resolve("project", "p").hash === revealed.body.hash, "never the same");
  assert.deepEqual(replica.conflicts(), []);
  await replica.close();
});

test("only a part is held where only a part is asked for", async () => {
  const api = stage.worker.api("part");
  for (const [path, body] of [
    ["global/global", { data: { g: 1 } }],
    ["project/p", { data: { p: 1 } }],
    ["project/q", { data: { q: 1 } }],
    ["branch/b", { data: { b: 1 }, parent: "p" }],
  ]) {
    await api.put(`/v1/contexts/${path}`, body);
  }
  const under = { level: "project", id: "p" };
  const replica = await stage.nacre.open({
    url: stage.worker.url,
    token: token({ sub: "part" }, stage.worker.secret),
    under,
  });
  assert.deepEqual(
    replica.list().items.map(({ id }) => id),
    ["global", "p", "b"],
  );
  await until(() => replica.status.state === "online", "never online");
  await api.patch("/v1/contexts/global/global", { g: 2 }, MERGE);
  await api.patch("/v1/contexts/branch/b", { b: 2 }, MERGE);
  await until(() => {
    const { g, b } = replica.resolve("branch", "b").data;
    return g === 2 && b === 2;
  }, "a change never came");
  await replica.close();
});

/** A replica of a branch below one of two projects, and whether it comes to show what the server has. */
async function branch(sub) {
  const api = stage.worker.api(sub);
  for (const [path, body] of [
    ["project/p", { data: { p: 1 } }],
    ["project/q", { data: { q: 1 } }],
    ["branch/b", { data: { b: 1 }, parent: "p" }],
  ]) {
    await api.put(`/v1/contexts/${path}`, body);
  }
  const open = (under) =>
    stage.nacre.open({ url: stage.worker.url, token: token({ sub }, stage.worker.secret), under });
  const same = async (replica, id, message) => {
    const shown = () => {
      try {
        return replica.resolve("branch", id).hash;
      } catch {
        return null;
      }
    };
    const { hash } = (await api.get(`/v1/contexts/branch/${id}/resolved`)).body;
    await until(() => shown() === hash, message);
  };
  return { api, open, same };
}

test("a part goes along when it is moved", async () => {
  const { api, open, same } = await branch("moved");
  const replica = await open({ level: "branch", id: "b" });
  const project = await open({ level: "project", id: "p" });
  await until(() => replica.status.state === "online", "never online");
  assert.equal((await api.post("/v1/contexts/branch/b/move", { parent: "q" })).status, 200);
  await same(replica, "b", "it is not where it was moved to");
  await api.patch("/v1/contexts/project/q", { q: 2 }, MERGE);
  await same(replica, "b", "a change above it never came");
  await until(() => !project.has("branch", "b"), "what was moved away is still there");
  await Promise.all([replica.close(), project.close()]);
});

test("a part that is made anew elsewhere is held with what is above", async () => {
  const { api, open, same } = await branch("later");
  const replica = await open({ level: "branch", id: "b" });
  await until(() => replica.status.state === "online", "never online");
  await api.delete("/v1/contexts/branch/b");
  await until(() => !replica.has("branch", "b"), "it never goes");
  await api.put("/v1/contexts/branch/b", { data: {}, parent: "q" });
  await same(replica, "b", "it is not there");
  await api.patch("/v1/contexts/project/q", { q: 2 }, MERGE);
  await same(replica, "b", "a change above it never came");
  await replica.close();
});

test("a part that does not exist is fetched once it does", async () => {
  const heidi = await stage.person();
  const page = await heidi.context.newPage();
  await page.goto(stage.site.url);
  const opened = () =>
    page.evaluate(
      async ([url, token]) => {
        const { open } = await import("/package/index.js");
        try {
          const replica = await open({ url, token, under: { level: "project", id: "new" } });
          const { data } = replica.resolve("project", "new");
          await replica.close();
          return data.made;
        } catch (error) {
          return error.code;
        }
      },
      [stage.worker.url, heidi.bearer],
    );
  assert.equal(await opened(), "not-found");
  await heidi.api.put("/v1/contexts/project/new", { data: { made: "later" } });
  assert.equal(await opened(), "later");
  await heidi.context.close();
});

test("a part that was away for a while comes back as it is now", async () => {
  const { api, open, same } = await branch("away");
  const replica = await open({ level: "branch", id: "b" });
  await until(() => replica.status.state === "online", "never online");
  await api.delete("/v1/contexts/branch/b");
  await until(() => !replica.has("branch", "b"), "it never goes");
  replica.online = false;
  replica.online = true;
  await until(() => replica.status.state === "online", "never online again");
  await api.patch("/v1/contexts/project/p", { p: 2 }, MERGE);
  await api.post("/v1/contexts/branch/b/restore", {});
  await same(replica, "b", "it is not as it is now");
  await replica.close();
});
