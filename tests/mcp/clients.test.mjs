// The official clients against a real workerd: both kinds of revisions, resources, prompts, updates.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../e2e/harness.mjs";
import { Client, FirstClient, load, StreamableHTTPClientTransport } from "./installed.mjs";

const { StreamableHTTPClientTransport: FirstTransport } = await load(
  "@modelcontextprotocol/sdk/client/streamableHttp.js",
);

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

const ABOUT = { name: "nacre-tests", version: "1" };

/** How each client is made: the newest revision, the one before, and the SDK that knows only that. */
const KINDS = {
  "2026-07-28": () => [
    new Client(ABOUT, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
    StreamableHTTPClientTransport,
  ],
  "2025-11-25": () => [new Client(ABOUT, { versionNegotiation: { mode: "legacy" } }), StreamableHTTPClientTransport],
  "SDK 1": () => [new FirstClient(ABOUT), FirstTransport],
};

async function connect(kind, api, headers = {}) {
  const [client, Transport] = KINDS[kind]();
  const requestInit = { headers: { authorization: `Bearer ${api.bearer}`, ...headers } };
  await client.connect(new Transport(new URL("/mcp", worker.url), { requestInit }));
  return client;
}

const ok = (answer) => {
  assert.ok(answer.status < 300, answer.text);
  return answer;
};

/** global ▸ p ▸ b ▸ t, of this user. */
async function plant(user, claims) {
  const api = worker.api(user, claims);
  ok(await api.put("/v1/contexts/global/global", { data: { model: "small" } }));
  ok(await api.put("/v1/contexts/project/p", { data: { db: { kind: "pg", port: 1 } } }));
  ok(await api.put("/v1/contexts/branch/b", { parent: "p", data: {} }));
  ok(await api.put("/v1/contexts/task/t", { parent: "b", data: { db: { port: 2 } } }));
  return api;
}

/** What comes within some seconds. */
const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`${what} did not come`)), 10_000).unref()),
  ]);

for (const kind of Object.keys(KINDS)) {
  test(`${kind}: resources, templates and completion`, async () => {
    const api = await plant(`resources ${kind}`);
    const client = await connect(kind, api);
    const { resources } = await client.listResources();
    const uris = resources.map(({ uri }) => uri).filter((uri) => uri.startsWith("nacre:"));
    assert.deepEqual(uris, [
      "nacre://start",
      "nacre://contexts/global/global",
      "nacre://views/global/global",
      "nacre://contexts/project/p",
      "nacre://views/project/p",
      "nacre://contexts/branch/b",
      "nacre://views/branch/b",
      "nacre://contexts/task/t",
      "nacre://views/task/t",
    ]);
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.ok(resourceTemplates.some(({ uriTemplate }) => uriTemplate === "nacre://views/{level}/{id}"));

    const read = async (uri) => (await client.readResource({ uri })).contents[0];
    const view = await read("nacre://views/task/t");
    assert.equal(view.mimeType, "application/json");
    assert.deepEqual(JSON.parse(view.text).data, { db: { kind: "pg", port: 2 }, model: "small" });
    assert.deepEqual(JSON.parse((await read("nacre://contexts/task/t")).text).data, { db: { port: 2 } });
    assert.match((await read("nacre://start")).text, /small/);
    for (const uri of ["nacre://views/task/none", "nacre://other"]) {
      await assert.rejects(client.readResource({ uri }), { code: -32602 }, uri);
    }

    const ref = { type: "ref/resource", uri: "nacre://views/{level}/{id}" };
    const complete = async (name, value, context) =>
      (await client.complete({ ref, argument: { name, value }, context })).completion.values;
    assert.deepEqual(await complete("level", "b"), ["branch"]);
    assert.deepEqual(await complete("id", "t", { arguments: { level: "task" } }), ["t"]);
    assert.deepEqual(await complete("id", "t", { arguments: { level: "project" } }), []);
    await client.close();
  });

  test(`${kind}: prompts fill in the context that is meant`, async () => {
    const api = await plant(`prompts ${kind}`);
    const client = await connect(kind, api, { "nacre-context": "task/t" });
    const { prompts } = await client.listPrompts();
    assert.ok(prompts.some(({ name }) => name === "hand_over_task"));
    const text = async (name, given = {}) =>
      JSON.stringify((await client.getPrompt({ name, arguments: given })).messages);
    assert.match(await text("load_task_context"), /nacre:\/\/views\/task\/t.*small/);
    assert.match(await text("load_task_context", { level: "project", id: "p" }), /nacre:\/\/views\/project\/p/);
    assert.match(await text("record_decision", { decision: "use ports above 1024" }), /task\/t.*use ports above 1024/);
    await assert.rejects(client.getPrompt({ name: "hand_over_tasks" }), /did you mean `hand_over_task`/);
    await client.close();
  });

  test(`${kind}: an unknown tool is refused by name`, async () => {
    const client = await connect(kind, worker.api(`tools ${kind}`));
    await client.listTools();
    await assert.rejects(client.callTool({ name: "no_such_thing" }), { code: -32602 });
    await client.close();
  });
}

test("2026-07-28: a stream of changes says what it follows, then what has changed", async () => {
  const api = await plant("listen");
  const client = await connect("2026-07-28", api);
  const told = [];
  let wake = () => {};
  for (const method of ["notifications/resources/updated", "notifications/resources/list_changed"]) {
    client.setNotificationHandler(method, ({ params }) => (told.push([method, params.uri]), wake()));
  }
  const more = async (count) => {
    while (told.length < count) await within(new Promise((resolve) => (wake = resolve)), `notification ${count}`);
  };
  const uri = "nacre://views/task/t";
  const filter = { resourceSubscriptions: [uri, "nacre://views/task/none"], resourcesListChanged: true };
  const stream = await within(client.listen(filter), "the acknowledgement");
  assert.deepEqual(stream.honoredFilter, { resourceSubscriptions: [uri], resourcesListChanged: true });

  ok(
    await api.patch(
      "/v1/contexts/global/global",
      { model: "large" },
      { "content-type": "application/merge-patch+json" },
    ),
  );
  await more(1);
  ok(await api.put("/v1/contexts/project/q", { data: {} }));
  await more(2);
  assert.deepEqual(told, [
    ["notifications/resources/updated", uri],
    ["notifications/resources/list_changed", undefined],
  ]);
  await stream.close();
  await client.close();
});

test("2026-07-28: the object may sleep while a stream is open", async () => {
  const api = await plant("asleep");
  const client = await connect("2026-07-28", api);
  let heard = () => {};
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => heard(params.uri));
  const stream = await within(client.listen({ resourceSubscriptions: ["nacre://contexts/task/t"] }), "the ack");
  await worker.evict("asleep");
  const update = new Promise((resolve) => (heard = resolve));
  ok(await api.patch("/v1/contexts/task/t", { a: 1 }, { "content-type": "application/merge-patch+json" }));
  assert.equal(await within(update, "the update"), "nacre://contexts/task/t");
  await stream.close();
  await client.close();
});

test("2025-11-25: a session is told of what it has subscribed to, until it unsubscribes", async () => {
  const api = await plant("session");
  const client = await connect("2025-11-25", api);
  const told = [];
  let wake = () => {};
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => (told.push(params.uri), wake()));
  const next = () => within(new Promise((resolve) => (wake = resolve)), "the update");
  const merge = { "content-type": "application/merge-patch+json" };
  const uri = "nacre://views/task/t";
  await client.subscribeResource({ uri });
  const first = next();
  ok(await api.patch("/v1/contexts/project/p", { db: { kind: "mysql" } }, merge));
  await first;
  await client.subscribeResource({ uri: "nacre://contexts/project/p" });
  await client.unsubscribeResource({ uri });
  const second = next();
  ok(await api.patch("/v1/contexts/project/p", { db: { kind: "sqlite" } }, merge));
  await second;
  assert.deepEqual(told, [uri, "nacre://contexts/project/p"]);
  await client.close();
});

test("a token says which context is meant, and a header says it better", async () => {
  const api = await plant("default", { default_context: "project/p" });
  const start = async (headers) => {
    const client = await connect("2026-07-28", api, headers);
    const [content] = (await client.readResource({ uri: "nacre://start" })).contents;
    await client.close();
    return content.text;
  };
  assert.match(await start(), /project\/p/);
  assert.match(await start({ "nacre-context": "task/t" }), /task\/t/);
  await assert.rejects(connect("2025-11-25", api, { "nacre-context": "nowhere" }), /400/);
});
