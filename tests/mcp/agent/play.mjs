// Plays a job: connects the agents, makes the calls, looks at the answers, and counts.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { start } from "../../e2e/harness.mjs";
import { load, newClient, ofMemory, toWorker } from "../installed.mjs";
import { GRAPH, LAYERS } from "./store.mjs";

const { encode } = await load("gpt-tokenizer/encoding/o200k_base");

/** A Worker, and a folder for the files of memory servers. */
export async function startBoth() {
  const worker = await start({ vars: { NACRE_QUOTAS: `contexts=${LAYERS.length + 1}` } });
  const folder = mkdtempSync(join(tmpdir(), "memory-"));
  const stop = async () => {
    await worker.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { worker, folder, stop };
}

/** Connects a client, and counts the calls of tools that it sends: `client.sent`. */
async function connect(client, transport) {
  const send = transport.send.bind(transport);
  client.sent = 0;
  transport.send = (message, ...more) => {
    if (message.method === "tools/call") client.sent += 1;
    return send(message, ...more);
  };
  await client.connect(transport);
  return client;
}

/** A client of Nacre whose calls go to the task. */
function nacre({ worker }, user, scope) {
  const api = worker.api(user, scope && { scope });
  const headers = { authorization: `Bearer ${api.bearer}`, "nacre-context": "task/fix-login" };
  return connect(newClient(), toWorker(worker.url, headers));
}

/** A client of the memory server, with a process of its own on the file that all agents of a job share. */
function memory({ folder }, user) {
  return connect(...ofMemory(join(folder, `${user}.jsonl`)));
}

/** How agents of each kind connect, and the calls that fill their store. */
const KINDS = {
  nacre: {
    begin: nacre,
    filling: [["manage_context_batch", { operations: LAYERS.map((layer) => ({ action: "create", ...layer })) }]],
  },
  peer: {
    begin: memory,
    filling: [
      ["create_entities", { entities: GRAPH.entities }],
      ["create_relations", { relations: GRAPH.relations }],
    ],
  },
};

/** The text of an answer, or of what the client throws at an agent instead. */
async function answer(client, name, given) {
  try {
    const { content } = await client.callTool({ name, arguments: given });
    return content.map(({ text }) => text).join("\n");
  } catch (error) {
    return error.message;
  }
}

/** Puts what earlier answers held in the place of `"$name"`. */
const filled = (given, held) =>
  JSON.parse(JSON.stringify(given), (_, value) =>
    typeof value === "string" && value[0] === "$" ? held[value.slice(1)] : value,
  );

/** Plays a job; `{calls, tokens}` of its agents. */
export async function play(both, kind, job) {
  const { begin, filling } = KINDS[kind];
  const user = `${kind}-${job.title.replaceAll(/[^a-z]/gu, "-")}`;
  const writer = await begin(both, user);
  for (const [name, given] of filling) {
    const text = await answer(writer, name, given);
    assert.doesNotMatch(text, /^error|\nNext:/iu, text);
  }
  const agents = { first: job.scope ? await begin(both, user, job.scope) : writer };
  if (job[kind].some(([, , , who]) => who)) agents.second = await begin(both, user);
  const clients = new Set([writer, ...Object.values(agents)]);
  for (const client of clients) client.sent = 0;
  const held = { before: 1 };
  let tokens = 0;
  const step = async ([name, given, expected, who = "first"]) => {
    const asked = filled(given, held);
    const text = await answer(agents[who], name, asked);
    assert.match(text, expected, `${name} ${JSON.stringify(asked)}`);
    tokens += encode(JSON.stringify({ name, arguments: asked })).length + encode(text).length;
    const id = /"id":"([^"]+)"/u.exec(text);
    if (id) held.id = id[1];
  };
  if (job.together) await Promise.all(job[kind].map(step));
  else for (const one of job[kind]) await step(one);
  const calls = [...clients].reduce((sum, { sent }) => sum + sent, 0);
  const counted = { calls, tokens };
  if (kind === "nacre") for (const one of job.check ?? []) await step(one);
  await Promise.all([...clients].map((client) => client.close()));
  return counted;
}
