// workerd killed with SIGKILL under write load: no acknowledged write is missing, none is there
// twice, and what is served afterwards is what the stored layers come to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "../harness.mjs";
import { random, view } from "./model.mjs";

const ROUNDS = 10;
const CLIENTS = 8;
const LOAD_MILLIS = 1200;

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

/**
 * One client: appends numbers to a list of its own task, sets a counter in the project that all
 * share, and notes progress. Each write has a key; a write without an answer is sent again.
 */
class Client {
  constructor(number) {
    this.number = number;
    this.api = worker.api("alice");
    this.path = `/v1/contexts/task/t${number}`;
    this.sent = 0;
    this.acknowledged = [];
    this.answers = new Map();
    this.unknown = undefined;
    this.repeated = 0;
  }

  /** The next write, or the one whose answer never came. */
  next() {
    if (this.unknown) return this.unknown;
    const n = this.sent++;
    const key = `c${this.number}-${n}`;
    const kinds = [
      () => ["post", `${this.path}/append`, { pointer: "/log", values: [n] }],
      () => ["patch", "/v1/contexts/project/p", { [`c${this.number}`]: { last: n } }],
      () => ["post", `${this.path}/progress`, { content: String(n) }],
      () => [
        "post",
        "/v1/batch",
        {
          operations: [
            { action: "append", level: "task", context_id: `t${this.number}`, pointer: "/log", values: [n] },
            { action: "update", level: "branch", context_id: "b", patch: { [`c${this.number}`]: n } },
          ],
        },
      ],
    ];
    const [method, path, body] = kinds[n % kinds.length]();
    return { n, key, method, path, body };
  }

  async write(write) {
    this.unknown = write;
    const answer = await this.api[write.method](write.path, write.body, {
      "idempotency-key": write.key,
      ...(write.method === "patch" && { "content-type": "application/merge-patch+json" }),
    });
    assert.ok(answer.status < 300, `${write.method} ${write.path}: ${answer.status} ${answer.text}`);
    if (answer.headers.get("idempotency-replayed") === "true") this.repeated++;
    this.unknown = undefined;
    this.acknowledged.push(write);
    this.answers.set(write.key, { write, text: answer.text, seq: answer.headers.get("nacre-seq") });
  }

  /** Writes until told to stop or until the runtime is gone. */
  async load(running) {
    while (running()) {
      try {
        await this.write(this.next());
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return; // no answer: the write may have happened or not
      }
    }
  }

  numbers(...kinds) {
    return this.acknowledged.map(({ n }) => n).filter((n) => kinds.includes(n % 4));
  }
}

test("ten times killed under load, nothing is lost and nothing is there twice", async () => {
  const api = worker.api("alice");
  await create(api);
  const clients = Array.from({ length: CLIENTS }, (_, number) => new Client(number));
  const pick = random(7);
  let unanswered = 0;

  for (let round = 0; round < ROUNDS; round++) {
    let running = true;
    const load = Promise.all(clients.map((client) => client.load(() => running)));
    await new Promise((resolve) => setTimeout(resolve, LOAD_MILLIS * (0.5 + pick())));
    await worker.kill();
    running = false;
    await load;
    unanswered += clients.filter((client) => client.unknown).length;

    // What got no answer is sent again under its key, and counts once.
    for (const client of clients) if (client.unknown) await client.write(client.unknown);
    await check(api, clients, round);
  }

  const total = clients.reduce((sum, client) => sum + client.acknowledged.length, 0);
  const repeated = clients.reduce((sum, client) => sum + client.repeated, 0);
  console.log(`${total} writes acknowledged, ${unanswered} cut off, ${repeated} of these had happened`);
  assert.ok(total > ROUNDS * CLIENTS, "there was load to speak of");
});

async function create(api) {
  const put = async (path, body) => {
    const { status, text } = await api.put(path, body);
    assert.equal(status, 201, text);
  };
  await put("/v1/contexts/global/global", { data: { log: ["never"], shared: { a: 1, b: 2 } } });
  await put("/v1/contexts/project/p", { data: { shared: { b: 3 } } });
  await put("/v1/contexts/branch/b", { parent: "p", data: { shared: { a: null } } });
  for (let number = 0; number < CLIENTS; number++) {
    await put(`/v1/contexts/task/t${number}`, { parent: "b", data: { log: [] } });
  }
}

async function check(api, clients, round) {
  const get = async (path) => {
    const answer = await api.get(path);
    assert.equal(answer.status, 200, `round ${round}: ${path}: ${answer.text}`);
    return answer;
  };
  const upper = [];
  for (const place of ["global/global", "project/p", "branch/b"]) {
    upper.push((await get(`/v1/contexts/${place}`)).body);
  }
  for (const client of clients) {
    // Each number once, in the order in which the client sent them.
    const own = (await get(client.path)).body;
    assert.deepEqual(own.data.log, client.numbers(0, 3), `round ${round}: ${client.path}`);
    assert.deepEqual(await progress(api, client), client.numbers(2), `round ${round}: progress`);
    const last = (...kinds) => client.numbers(...kinds).at(-1);
    assert.equal(upper[1].data[`c${client.number}`]?.last, last(1), `round ${round}: project`);
    assert.equal(upper[2].data[`c${client.number}`], last(3), `round ${round}: branch`);

    // The view is what the stored layers come to, and is still known by its hash.
    const path = `${client.path}/resolved`;
    const resolved = await get(path);
    assert.deepEqual(resolved.body.data, view([...upper, own].map(({ data }) => data)));
    const etag = resolved.headers.get("etag");
    assert.equal(etag, JSON.stringify(resolved.body.hash));
    assert.equal((await api.get(path, { "if-none-match": etag })).status, 304);
  }
  for (const { level, id, version } of upper) await history(api, `${level}/${id}`, version);
  for (const { path } of clients) await history(api, path.slice("/v1/contexts/".length));
}

/** The versions of a context are 1, 2, 3 … without a gap, and their commits ascend. */
async function history(api, place, newest) {
  const items = await pages(api, `/v1/contexts/${place}/history?limit=200`);
  const versions = items.map(({ version }) => version).reverse();
  assert.deepEqual(
    versions,
    versions.map((_, index) => index + 1),
    `history of ${place}`,
  );
  if (newest !== undefined) assert.equal(versions.length, newest, `history of ${place}`);
  const seqs = items.map(({ seq }) => seq).reverse();
  assert.ok(
    seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]),
    `seqs of ${place}`,
  );
}

async function progress(api, client) {
  const items = await pages(api, `${client.path}/progress?limit=200`);
  return items.map(({ content }) => Number(content)).reverse();
}

async function pages(api, path) {
  const items = [];
  for (let cursor = ""; ; ) {
    const { status, body, text } = await api.get(path + cursor);
    assert.equal(status, 200, text);
    items.push(...body.items);
    if (!body.next_cursor) return items;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
}

test("a key gives its first answer again after a kill", async () => {
  const api = worker.api("bob");
  const put = (body, key) => api.put("/v1/contexts/project/keyed", body, { "idempotency-key": key });
  const first = await put({ data: { n: 1 } }, "k1");
  assert.equal(first.status, 201);
  await worker.kill();
  const second = await put({ data: { n: 2 } }, "k2");
  assert.equal(second.status, 200);
  const again = await put({ data: { n: 1 } }, "k1");
  assert.equal(again.status, 201);
  assert.equal(again.text, first.text);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal(again.headers.get("etag"), first.headers.get("etag"));
  assert.equal(again.headers.get("location"), first.headers.get("location"));
  const other = await put({ data: { n: 3 } }, "k1");
  assert.deepEqual([other.status, other.body.code], [422, "idempotency-mismatch"]);
  const { body } = await api.get("/v1/contexts/project/keyed");
  assert.deepEqual([body.version, body.data], [2, { n: 2 }]);
});

test("what was deleted, restored and moved is so after a kill", async () => {
  const api = worker.api("carol");
  for (const id of ["p1", "p2"]) await api.put(`/v1/contexts/project/${id}`, { data: { id } });
  await api.put("/v1/contexts/branch/b", { parent: "p1", data: {} });
  await api.put("/v1/contexts/task/t", { parent: "b", data: { t: true } });
  assert.equal((await api.post("/v1/contexts/branch/b/move", { parent: "p2" })).status, 200);
  assert.equal((await api.delete("/v1/contexts/project/p1")).status, 200);
  await worker.kill();
  const { body } = await api.get("/v1/contexts/task/t/resolved");
  assert.deepEqual(body.data, { id: "p2", t: true });
  assert.equal((await api.get("/v1/contexts/project/p1")).status, 404);
  assert.equal((await api.post("/v1/contexts/project/p1/restore")).status, 200);
  await worker.kill();
  assert.deepEqual((await api.get("/v1/contexts/project/p1")).body.data, { id: "p1" });
});
