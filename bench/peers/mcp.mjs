// Calls of tools: Nacre's over MCP and the same over HTTP, and the reference memory server as its users
// run it, a process for each client, all on one file.
//
// The first line on stdin has the views to store; the answer is their sizes. Each further line is a
// request to this program, and the answer is a number: nanoseconds for one call, the median of the turn's.
// `answers` gives the texts of answers over a thousand notes, `lost` how many writes are missing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { token } from "../../tests/e2e/harness.mjs";
import { newClient, ofMemory, toWorker } from "../../tests/mcp/installed.mjs";
import { startBesideBare } from "./bare.mjs";
import { ask, median } from "./request.mjs";

const CALLS = 50; // in a turn of one client
const CALLS_EACH = 5; // of many clients
const NOTES = 1000;

const worker = await startBesideBare();
const [url] = worker.urls;
const folder = mkdtempSync(join(tmpdir(), "memory-"));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { views } = JSON.parse((await lines.next()).value);
const bearer = (user) => token({ sub: user }, worker.secret);
const json = { "content-type": "application/json" };

/** One request to the Worker, which must be granted. */
const send = (method, path, headers, body) => ask(method, `${url}${path}`, headers, body);

/** A call of a tool as one message, without a client around it. */
function message(user, name, given) {
  const version = "2026-07-28";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
  };
  const headers = {
    ...json,
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${bearer(user)}`,
    "mcp-protocol-version": version,
    "mcp-method": "tools/call",
    "mcp-name": name,
  };
  const params = { name, arguments: given, _meta: meta };
  return [headers, JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params })];
}

async function turn(ask) {
  const times = [];
  for (let n = 0; n < CALLS; n++) times.push((await ask()).nanos);
  return median(times);
}

const contestants = {};
const sizes = {};
for (const { name, contexts } of views) {
  const user = name.replaceAll(/[^a-z]/giu, "-");
  const headers = { authorization: `Bearer ${bearer(user)}` };
  const body = contexts.map((context) => JSON.stringify(context)).join("\n");
  await send("POST", "/v1/import", { ...headers, "content-type": "application/x-ndjson" }, body);
  const { level, id } = contexts.at(-1);
  const path = `/v1/contexts/${level}/${id}/resolved`;
  sizes[name] = (await send("GET", path, headers)).text.length;
  const [asked, call] = message(user, "resolve_context", { level, context_id: id });
  const { text } = await send("POST", "/mcp", asked, call);
  assert.ok(!JSON.parse(text).result.isError, text);
  contestants[`http ${name}`] = () => turn(() => send("GET", path, headers));
  contestants[`mcp ${name}`] = () => turn(() => send("POST", "/mcp", asked, call));
}

/** A client of Nacre on the store of `user`. */
async function nacre(user) {
  const client = newClient();
  await client.connect(toWorker(url, { authorization: `Bearer ${bearer(user)}` }));
  return client;
}

/** A client of the memory server on a file. */
async function memory(file) {
  const [client, transport] = ofMemory(join(folder, `${file}.jsonl`));
  await client.connect(transport);
  return client;
}

async function call(client, name, given) {
  const { content, isError } = await client.callTool({ name, arguments: given });
  assert.ok(!isError, content[0].text);
  return content[0].text;
}

const task = { level: "task", context_id: "t" };
const kinds = {
  nacre: {
    connect: nacre,
    begin: (client) =>
      call(client, "manage_context", { action: "create", ...task, parent: "b", create_parents: true, data: {} }),
    write: (client, text) => call(client, "manage_context", { action: "add_progress", ...task, content: text }),
    read: (client) => call(client, "resolve_context", task),
    recall: (client) => call(client, "get_context_pack", task),
    async count(_, user) {
      let [count, cursor] = [0, ""];
      for (;;) {
        const path = `/v1/contexts/task/t/progress?limit=200${cursor}`;
        const { items, next_cursor } = JSON.parse(
          (await send("GET", path, { authorization: `Bearer ${bearer(user)}` })).text,
        );
        count += items.length;
        if (!next_cursor) return count;
        cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
      }
    },
  },
  memory: {
    connect: memory,
    begin: (client) =>
      call(client, "create_entities", { entities: [{ name: "t", entityType: "task", observations: [] }] }),
    write: (client, text) =>
      call(client, "add_observations", { observations: [{ entityName: "t", contents: [text] }] }),
    read: (client) => call(client, "open_nodes", { names: ["t"] }),
    recall: (client) => call(client, "open_nodes", { names: ["t"] }),
    async count(client) {
      return JSON.parse(await call(client, "open_nodes", { names: ["t"] })).entities[0].observations.length;
    },
  },
};

const note = (n) =>
  `note ${n}: the pool of connections ran dry after ${n % 97} requests, so its size is ${20 + (n % 7)} now`;
const writers = {};
for (const [kind, { connect, begin, write, read, count }] of Object.entries(kinds)) {
  for (const many of [1, 32]) {
    const store = `${kind}${many}`;
    const clients = await Promise.all(Array.from({ length: many }, () => connect(store)));
    await begin(clients[0]);
    const each = many === 1 ? CALLS : CALLS_EACH;
    const all = async (act) => {
      const times = [];
      await Promise.all(
        clients.map(async (client) => {
          for (let n = 0; n < each; n++) {
            const start = process.hrtime.bigint();
            await act(client);
            times.push(Number(process.hrtime.bigint() - start));
          }
        }),
      );
      return median(times);
    };
    const state = { written: 0, failed: 0 };
    contestants[`write ${store}`] = () =>
      all((client) => write(client, note(state.written++)).catch(() => state.failed++));
    contestants[`read ${store}`] = () => all((client) => read(client).catch(() => {}));
    writers[store] = async () => ({ written: state.written, lost: state.written - (await count(clients[0], store)) });
  }
}

/** What each answers an agent that begins a task with a thousand notes. */
async function answers() {
  const texts = {};
  for (const [kind, { connect, begin, write, recall }] of Object.entries(kinds)) {
    const client = await connect(`${kind}-notes`);
    await begin(client);
    for (let n = 0; n < NOTES; n++) await write(client, note(n));
    texts[kind] = await recall(client);
  }
  return JSON.stringify(texts);
}

async function lost() {
  const all = await Promise.all(Object.entries(writers).map(async ([store, ask]) => [store, await ask()]));
  return JSON.stringify(Object.fromEntries(all));
}

console.log(JSON.stringify(sizes));
for await (const line of lines) {
  const answer = { answers, lost }[line] ?? contestants[line];
  console.log(await answer());
}
await worker.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0); // with the memory servers' processes
