// What agents do all day, through the official client against a real workerd: the complaints of people
// who use such servers, and the failures of an earlier system of this kind, each by its name.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../e2e/harness.mjs";
import { newClient, toWorker } from "./installed.mjs";

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

/** An agent: a client whose calls give the data of an answer, or throw the text of a failure. */
async function agent(user, { claims, context } = {}) {
  const api = worker.api(user, claims);
  const client = newClient();
  const headers = { authorization: `Bearer ${api.bearer}`, ...(context && { "nacre-context": context }) };
  await client.connect(toWorker(worker.url, headers));
  const raw = (tool, given = {}) => client.callTool({ name: tool, arguments: given });
  const call = async (tool, given) => {
    const { content, structuredContent, isError } = await raw(tool, given);
    const [{ text }] = content;
    if (isError) throw new Error(text);
    return structuredContent;
  };
  return {
    api,
    raw,
    call,
    manage: (action, given) => call("manage_context", { action, ...given }),
    read: async (given) => (await call("resolve_context", given)).data,
    close: () => client.close(),
  };
}

const task = { level: "task", context_id: "t" };

/** global ▸ p ▸ b ▸ t, written by its agent. */
async function planted(user, options) {
  const one = await agent(user, options);
  const operations = [
    { action: "create", level: "global", context_id: "global", data: { style: "plain", db: { kind: "pg", port: 1 } } },
    { action: "create", level: "project", context_id: "p", data: { title: "Shop" } },
    { action: "create", level: "branch", context_id: "b", parent: "p", data: { goal: "faster" } },
    { action: "create", ...task, parent: "b", data: { step: 1 } },
  ];
  await one.call("manage_context_batch", { operations });
  return one;
}

test("tools are listed with all that a client needs, and sets are chosen", async () => {
  const one = await agent("lists");
  const list = async (query) => {
    const client = newClient();
    await client.connect(toWorker(worker.url, { authorization: `Bearer ${one.api.bearer}` }, `/mcp${query}`));
    const { tools } = await client.listTools();
    await client.close();
    // The suite's fixtures are in this build, too.
    return tools.filter(({ name }) => !/^(test|json_schema)_/.test(name));
  };
  const tools = await list("");
  assert.equal(tools.length, 13);
  for (const { name, description, inputSchema, outputSchema, annotations } of tools) {
    assert.ok(description && inputSchema.type === "object" && outputSchema.type === "object" && annotations, name);
  }
  const chosen = await list("?tools=search");
  assert.deepEqual(
    chosen.map(({ name }) => name),
    ["search_contexts"],
  );
  await one.close();
});

test("the global layer is in the view, and a default context needs no names", async () => {
  const one = await planted("globals", { context: "task/t" });
  const view = await one.call("resolve_context");
  assert.equal(view.context, "task/t");
  assert.deepEqual(view.data, { style: "plain", db: { kind: "pg", port: 1 }, title: "Shop", goal: "faster", step: 1 });
  assert.deepEqual(view.you.default_context, "task/t");
  assert.equal(view.you.user, "globals");
  assert.match(view.you.scopes, /contexts:read/);
  assert.ok(view.you.requests_left > 0);
  await one.close();
  // The token may say it, too.
  const two = await agent("globals", { claims: { default_context: "project/p" } });
  assert.equal((await two.call("resolve_context")).context, "project/p");
  await two.close();
});

test("three progress notes appended are three notes kept, in the order of their writing", async () => {
  const one = await planted("notes", { context: "task/t" });
  for (const content of ["one", "two", "three"]) await one.manage("add_progress", { content });
  const { items } = await one.manage("list_progress");
  assert.deepEqual(
    items.map(({ content }) => content),
    ["three", "two", "one"],
  );
  await one.close();
});

test("an update of db.port keeps db.kind, and unknown members stay", async () => {
  const one = await planted("ports");
  await one.manage("update", { level: "global", patch: { db: { port: 2 } } });
  const odd = { anything: { at: ["all", 1.5, { deep: true }] } };
  await one.manage("update", { ...task, patch: odd });
  const data = await one.read(task);
  assert.deepEqual(data.db, { kind: "pg", port: 2 });
  assert.deepEqual(data.anything, odd.anything);
  await one.close();
});

test("a value can be unset, and a path through a scalar is no internal error", async () => {
  const one = await planted("unset");
  await one.manage("unset", { ...task, pointers: ["/style"] });
  assert.ok(!("style" in (await one.read(task))));
  await one.manage("update", { ...task, patch: { step: { of: { many: 1 } } } });
  assert.deepEqual((await one.read(task)).step, { of: { many: 1 } });
  await assert.rejects(
    one.manage("update", { ...task, patch: [{ op: "add", path: "/goal/x", value: 1 }] }),
    /merge-conflict.*\nNext: /,
  );
  await one.close();
});

test("a parent is not deleted under its children, and no chain is silently shorter", async () => {
  const one = await planted("parents");
  await assert.rejects(one.manage("delete", { level: "project", context_id: "p" }), /has-children.*\nNext: .*cascade/);
  await one.manage("delete", { level: "project", context_id: "p", cascade: true });
  await assert.rejects(one.read(task), /not-found/);
  await one.manage("restore", { level: "project", context_id: "p" });
  assert.equal((await one.read(task)).title, "Shop");
  await one.close();
});

test("a promotion moves what it says, upward only, and comes back exactly", async () => {
  const one = await planted("promotions");
  const promote = (action, given) => one.call("promote_context", { action, ...given });
  await one.manage("update", { ...task, patch: { lesson: "retry once" } });
  const { id, promotion } = await promote("propose", { ...task, pointer: "/lesson", to: "project", reason: "for all" });
  assert.deepEqual(promotion.preview.affected, ["project/p", "branch/b"]);
  await promote("approve", { id });
  assert.equal((await one.read({ level: "project", context_id: "p" })).lesson, "retry once");
  assert.ok(!("lesson" in (await one.manage("get", task)).data));
  await promote("undo", { id });
  assert.equal((await one.manage("get", task)).data.lesson, "retry once");
  assert.ok(!("lesson" in (await one.read({ level: "project", context_id: "p" }))));
  await assert.rejects(
    promote("propose", { level: "project", context_id: "p", pointer: "/title", to: "task" }),
    /level above/,
  );
  await assert.rejects(promote("propose", { ...task, pointer: "/title", to: "global" }), /holds no value here/);
  await one.close();
});

test("nobody reads another user's data, nor anything stale", async () => {
  const [one, two] = await Promise.all([planted("mine"), agent("theirs")]);
  await one.read(task);
  await assert.rejects(two.read(task), /not-found/);
  for (const n of [2, 3, 4]) {
    await one.manage("update", { ...task, patch: { step: n } });
    assert.equal((await one.read(task)).step, n);
  }
  await Promise.all([one.close(), two.close()]);
});

test("a batch is one commit or none", async () => {
  const one = await planted("batches");
  const operations = [
    { action: "update", ...task, patch: { step: 9 } },
    { action: "update", level: "task", context_id: "none", patch: {} },
  ];
  await assert.rejects(one.call("manage_context_batch", { operations }), /not-found \(operation 1\)/);
  assert.equal((await one.read(task)).step, 1);
  await one.close();
});

test("two agents at once lose nothing, and a stale write shows both sides", async () => {
  const one = await planted("pairs");
  const two = await agent("pairs");
  const writers = [one, two].flatMap((who, of) =>
    Array.from({ length: 20 }, (_, n) => who.manage("update", { ...task, patch: { [`${of}-${n}`]: n } })),
  );
  await Promise.all(writers);
  assert.equal(Object.keys((await one.manage("get", task)).data).length, 41);
  const { version } = await one.manage("get", task);
  await two.manage("update", { ...task, patch: { step: "theirs" } });
  await assert.rejects(one.manage("update", { ...task, patch: { step: "mine" }, expect_version: version }), (error) => {
    assert.match(error.message, /version-conflict/);
    assert.match(error.message, /"current":"theirs".*"yours":"mine"/);
    return true;
  });
  await Promise.all([one.close(), two.close()]);
});

test("a write that is cut off and repeated is written once", async () => {
  const one = await planted("repeats");
  const append = { ...task, pointer: "/log", values: ["once"], idempotency_key: "k1" };
  const first = await one.manage("append", append);
  assert.deepEqual(await one.manage("append", append), first);
  assert.deepEqual((await one.read(task)).log, ["once"]);
  await assert.rejects(
    one.manage("append", { ...append, values: ["twice"] }),
    /idempotency-mismatch.*\nNext: use a new/,
  );
  await one.close();
});

test("objects passed as text are objects", async () => {
  const one = await planted("texts");
  await one.manage("update", { ...task, patch: '{"step":{"of":2}}' });
  assert.deepEqual((await one.read({ ...task, path: "/step" })).of, 2);
  await one.call("manage_context_batch", {
    operations: '[{"action":"update","level":"task","context_id":"t","patch":"{\\"a\\":1}"}]',
  });
  assert.equal((await one.read(task)).a, 1);
  await one.close();
});

test("an answer never has more than was asked for, and says how to get the rest", async () => {
  const one = await agent("bounds");
  const notes = Array.from({ length: 1000 }, (_, n) => ({ n, text: `note ${n} says something about the shop` }));
  await one.manage("create", { level: "project", context_id: "big", data: { notes, name: "big" } });
  for (const max_tokens of [256, 1000, 2000]) {
    const { content } = await one.raw("resolve_context", { level: "project", context_id: "big", max_tokens });
    // A token of JSON has about three letters; four would be many.
    assert.ok(content[0].text.length <= max_tokens * 4, `${content[0].text.length}`);
  }
  const { data, left_out, fetch } = await one.call("resolve_context", { level: "project", context_id: "big" });
  assert.equal(data.name, "big");
  assert.equal(left_out[0].pointer, "/notes");
  assert.equal(left_out[0].count, 1000 - data.notes.length);
  assert.match(fetch, /^resolve_context \{"level":"project","context_id":"big","path":/);
  const found = await one.call("resolve_context", { level: "project", context_id: "big", path: "/notes/999" });
  assert.deepEqual(found.data, notes[999]);
  await one.close();
});

test("a context that is not there is answered with those that may be meant", async () => {
  const one = await planted("typos");
  await one.manage("create", { level: "task", context_id: "fix-login", parent: "b", data: {} });
  await assert.rejects(one.read({ level: "task", context_id: "fix-logn" }), /Did you mean task\/fix-login\?/);
  await assert.rejects(one.read({ level: "project", context_id: "fix-login" }), /Did you mean task\/fix-login\?/);
  await assert.rejects(one.raw("resolve_contxt"), /did you mean `resolve_context`/);
  await assert.rejects(one.read({ ...task, paht: "/a" }), /Did you mean `path`\?/);
  await one.close();
});

test("who takes a task over finds insight, progress and decisions in the first pack", async () => {
  const one = await planted("hands", { context: "task/t" });
  await one.manage("add_insight", {
    content: "the pool runs dry at 40",
    category: "decision",
    importance: 1,
    agent: "first",
  });
  await one.manage("add_progress", { content: "wrote a failing test", agent: "first" });
  await one.close();
  const two = await agent("hands", { context: "task/t" });
  const { pack } = await two.call("get_context_pack");
  for (const part of ["the pool runs dry at 40", "decision", "wrote a failing test", "title: Shop", "style: plain"]) {
    assert.ok(pack.includes(part), `${part}: ${pack}`);
  }
  await two.close();
});

test("work that only reads, and a token that may not, are told so", async () => {
  await (await planted("readers")).close();
  const one = await agent("readers", { claims: { scope: "contexts:read" } });
  assert.equal((await one.read(task)).step, 1);
  await assert.rejects(one.manage("update", { ...task, patch: { step: 2 } }), /scope/);
  await one.close();
});

test("a secret never reaches a prompt", async () => {
  const one = await agent("secrets", { claims: { scope: "contexts:read contexts:write secrets:reveal" } });
  await one.manage("create", { level: "project", context_id: "p", data: { db: { password: "hunter2hunter2" } } });
  await assert.rejects(one.manage("get", { level: "project", context_id: "p", reveal: true }), /never open sealed/);
  for (const tool of ["resolve_context", "explain_context", "get_context_pack", "get_context_history"]) {
    const { content } = await one.raw(tool, { level: "project", context_id: "p" });
    assert.doesNotMatch(content[0].text, /hunter2/, tool);
  }
  await one.close();
});

test("what was written is found, and its version is gone back to", async () => {
  const one = await planted("finds");
  await one.manage("update", { ...task, patch: { about: "the checkout forgets the cart" }, summary: "seen twice" });
  const { items: found } = await one.call("search_contexts", { q: "forgets cart" });
  assert.equal(found[0].context, "task/t");
  assert.match(found[0].snippet, /forgets the cart/);
  const { items } = await one.call("get_context_history", task);
  assert.deepEqual(
    items.map(({ summary }) => summary),
    ["seen twice", undefined],
  );
  await one.call("rollback_context", { ...task, version: 1 });
  assert.ok(!("about" in (await one.read(task))));
  await one.close();
});

test("a template begins a project, and says what it lacks", async () => {
  const one = await agent("templates");
  const { templates } = await one.call("list_templates");
  assert.equal(templates.length, 5);
  const make = (variables) =>
    one.call("create_from_template", { template: "microservice", level: "project", context_id: "pay", variables });
  await assert.rejects(make(), /`name` \(string\)/);
  assert.equal((await make({ name: "pay", owner: "ann" })).context, "project/pay");
  await one.close();
});
