// A secret is planted wherever one can be, and then looked for wherever something comes out: every
// answer, the console, and the bytes of the databases. Whatever is not sealed but stored is looked
// for in the databases too: at rest nothing stands in the clear.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { start } from "./harness.mjs";

const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const LINES = { "content-type": "application/x-ndjson" };

/** Comes out to nobody who does not ask for it with the scope. */
const SECRET = "pl4nt-secret";
/** Comes out in answers, and stands nowhere in the clear. */
const PLAIN = "pl4nt-plain";
let planted = 0;
const secret = () => `${SECRET}-${planted++}`;

let worker, persist;
const heard = [];
before(async () => {
  persist = mkdtempSync(join(tmpdir(), "nacre-secrets-"));
  worker = await start({ persist });
});
after(async () => {
  await worker?.stop();
  rmSync(persist, { recursive: true, force: true });
});

/** A client of which every answer is kept. */
function listening(api) {
  const listen =
    (call) =>
    async (path, ...rest) => {
      const answer = await call(path, ...rest);
      heard.push({ path, status: answer.status, text: answer.text, headers: [...answer.headers].join("\n") });
      return answer;
    };
  return Object.fromEntries(Object.entries(api).map(([name, call]) => [name, listen(call)]));
}

const ok = (answer) => {
  assert.ok(answer.status < 300, `${answer.status} ${answer.text.slice(0, 300)}`);
  return answer;
};

test("secrets come out to nobody who does not ask for them", async () => {
  const api = listening(worker.api("alice", { scope: "contexts:read contexts:write admin" }));
  const project = "/v1/contexts/project/p";
  const data = () => ({
    api_key: secret(),
    db: { password: secret(), host: PLAIN, users: [{ name: "a", accessToken: secret() }] },
    credentials: { user: PLAIN, pass: secret() },
    "jwt-auth-secret": secret(),
    tokenizer: PLAIN,
  });
  ok(await api.put("/v1/contexts/global/global", { data: data(), summary: PLAIN }));
  ok(await api.put(project, { data: data() }));
  ok(await api.put("/v1/contexts/branch/b", { data: data(), parent: "p" }));
  const { body: before } = ok(await api.patch(project, { token: secret() }, MERGE));
  ok(await api.patch(project, { token: secret(), other: PLAIN }, { ...MERGE, "idempotency-key": `${PLAIN}-key` }));
  ok(await api.patch(project, [{ op: "add", path: "/db/secret", value: secret() }], JSON_PATCH));
  ok(await api.post(`${project}/append`, { pointer: "/list", values: [{ api_key: secret() }] }));
  ok(await api.post(`${project}/insights`, { content: `${PLAIN} insight`, category: PLAIN, agent: PLAIN }));
  ok(
    await api.post("/v1/batch", {
      operations: [
        { action: "create", level: "task", context_id: "t", parent: "b", data: { secret: secret() } },
        { action: "update", level: "task", context_id: "t", patch: { secret: secret(), kept: PLAIN } },
        { action: "get", level: "task", context_id: "t" },
        { action: "resolve", level: "task", context_id: "t" },
      ],
    }),
  );
  const line = { level: "task", id: "t2", parent: "b", data: { password: secret(), kept: PLAIN } };
  ok(await api.post("/v1/import", JSON.stringify(line), LINES));
  ok(await api.post("/v1/contexts/branch/b/preview", { patch: { token: secret() } }));
  ok(await api.post(`${project}/rollback`, { version: 1 }));

  // Everything that reads.
  const task = "/v1/contexts/task/t";
  for (const path of [
    project,
    `${project}?version=2`,
    `${project}/history`,
    `${project}/diff?from=1`,
    `${project}/insights`,
    "/v1/contexts?data=true",
    `${task}/resolved`,
    `${task}/resolved?explain=true`,
    `${task}/resolved?at=5`,
    `${task}/resolved/diff?from=1`,
    `${task}/resolved?path=/credentials`,
    "/v1/export",
    "/v1/audit",
    "/v1/members",
  ]) {
    await api.get(path);
  }

  // What is refused may say why, not what.
  const stale = { ...MERGE, "if-match": `"v${before.version}"` };
  const conflict = await api.patch(project, { token: secret(), db: { password: secret() } }, stale);
  assert.equal(conflict.status, 412);
  await api.patch(project, [{ op: "test", path: "/api_key", value: secret() }], JSON_PATCH);
  await api.patch(project, [{ op: "replace", path: "/api_key/inside", value: secret() }], JSON_PATCH);
  await api.put(project, `{"data":{"password":"${secret()}"`);
  await api.put(project, { data: { password: secret() }, unknown: secret() });
  await api.put(project, { data: { password: { $sealed: secret() } } });
  await api.put(project, { data: [secret()] });
  await api.post("/v1/import", `{"level":"task","id":"t3","data":{"password":"${secret()}"}}`, LINES);
  await api.get(`${project}?reveal=true`);
  await api.get(`${task}/resolved?reveal=true`);
  const anyone = listening(worker.api("eve"));
  await anyone.get(`${project}?reveal=true`, { "nacre-owner": "alice" });

  const leaks = heard.filter(({ text, headers }) => text.includes(SECRET) || headers.includes(SECRET));
  assert.deepEqual(
    leaks.map(({ path, status }) => ({ path, status })),
    [],
  );
  assert.ok(
    heard.some(({ text }) => text.includes(PLAIN)),
    "what is no secret does come out",
  );
});

test("with the scope and the wish they come out as they went in", async () => {
  const api = worker.api("alice", { scope: "contexts:read secrets:reveal" });
  const { body } = await api.get("/v1/contexts/task/t2?reveal=true");
  assert.match(body.data.password, new RegExp(`^${SECRET}-\\d+$`));
  const { body: view, headers } = await api.get("/v1/contexts/task/t/resolved?reveal=true");
  assert.match(view.data.api_key, new RegExp(SECRET));
  assert.match(view.data.credentials.pass, new RegExp(SECRET));
  assert.match(headers.get("cache-control"), /no-store/);
  const exported = await api.get("/v1/export?reveal=true");
  assert.match(exported.text, new RegExp(SECRET));
});

test("nothing that was stored stands in the clear, in the log or on the disk", async () => {
  for (const { message } of worker.logs) {
    assert.ok(!message.includes(SECRET) && !message.includes(PLAIN), message);
  }
  const databases = () =>
    readdirSync(persist, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const look = (when) => {
    const files = databases();
    assert.ok(
      files.some((file) => file.endsWith(".sqlite")),
      "there are databases",
    );
    let bytes = 0;
    for (const file of files) {
      const content = readFileSync(file);
      bytes += content.length;
      for (const needle of [SECRET, PLAIN, "api_key", "tokenizer"]) {
        assert.ok(!content.includes(needle), `${needle} stands in ${file}, ${when}`);
      }
    }
    assert.ok(bytes > 20_000, "and they hold something");
  };
  look("while it runs");
  await worker.stop();
  look("when it has stopped");
  worker = undefined;
});
