// From a commit to the last of many sockets, on the Worker and on the bare one beside it, in the
// same workerd.
//
// The first line on stdin says which contexts to store and how many sockets listen. Each further
// line names a contestant, who then takes a turn; the answer is nanoseconds from sending a change to
// the last socket's having it, the median of the turn's.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";

import { WebSocket } from "ws";

import { token } from "../../tests/e2e/harness.mjs";
import { startBesideBare } from "./bare.mjs";
import { agent, median, send } from "./request.mjs";

const CHANGES = 5; // in a turn

const worker = await startBesideBare();
const [own, bare] = worker.urls;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { contexts, sockets: COUNT } = JSON.parse((await lines.next()).value);
const bearer = (user) => token({ sub: user }, worker.secret);

/** Sockets that count what they get: `{count, bytes, all(n)}`. */
async function listeners(open) {
  const heard = { count: 0, bytes: 0, last: "", wanted: Infinity, done: () => {} };
  for (let at = 0; at < COUNT; at++) {
    const socket = open(at);
    socket.on("message", (frame) => {
      heard.bytes += frame.length;
      if (++heard.count >= heard.wanted) heard.done(frame);
    });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  }
  heard.all = (count) =>
    new Promise((resolve) => {
      Object.assign(heard, { count: 0, bytes: 0, wanted: count, done: resolve });
    });
  return heard;
}

/** A turn: `change(n)` sends the n-th change, and every socket gets one frame. */
async function turn(heard, change) {
  const times = [];
  for (let n = 0; n < CHANGES; n++) {
    const all = heard.all(COUNT);
    const start = process.hrtime.bigint();
    const answer = change();
    await all;
    times.push(Number(process.hrtime.bigint() - start));
    assert.equal((await answer).status, 200, (await answer).text);
  }
  return median(times);
}

const json = { "content-type": "application/json" };
const patch = { "content-type": "application/merge-patch+json" };
let edits = 0;
const contestants = {};
const sizes = {};

for (const [name, watched] of [
  ["one view", () => "task-0"],
  ["a view each", (at) => `task-${at % contexts.filter(({ level }) => level === "task").length}`],
]) {
  const user = name.replaceAll(" ", "-");
  const headers = { authorization: `Bearer ${bearer(user)}` };
  const body = contexts.map((context) => JSON.stringify(context)).join("\n");
  const stored = await send("POST", `${own}/v1/import`, { ...headers, "content-type": "application/x-ndjson" }, body);
  assert.equal(stored.status, 200, stored.text);
  const url = `${own.replace("http", "ws")}/v1/live`;
  const heard = await listeners((at) => {
    const socket = new WebSocket(url, ["nacre.v1", `bearer.${bearer(user)}`], { perMessageDeflate: false });
    socket.on("open", () =>
      socket.send(
        JSON.stringify({ type: "subscribe", id: "view", topic: { resolved: { level: "task", id: watched(at) } } }),
      ),
    );
    return socket;
  });
  while (heard.count < COUNT) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const place of ["global/global", "task/task-0"]) {
    if (name !== "one view" && place !== "global/global") continue;
    const change = () => {
      const edit = { services: { [`of ${place}`]: { replicas: ++edits } } };
      return send("PATCH", `${own}/v1/contexts/${place}`, { ...headers, ...patch }, JSON.stringify(edit));
    };
    const all = heard.all(COUNT);
    await change();
    await all;
    const contestant = `${name}, ${place.split("/")[0]}`;
    sizes[contestant] = Math.round(heard.bytes / COUNT);
    contestants[contestant] = () => turn(heard, change);
  }
}
{
  const url = `${bare.replace("http", "ws")}/listen`;
  const heard = await listeners(() => new WebSocket(url, { perMessageDeflate: false }));
  contestants.bare = () => turn(heard, () => send("POST", `${bare}/tell/${sizes["one view, task"]}`, json, ""));
}

console.log(JSON.stringify(sizes));
for await (const line of lines) console.log(await contestants[line]());
agent.destroy();
process.exit(0); // with three thousand sockets open
