// The official Rust client against a real workerd, in both of its lifecycles.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { start } from "../e2e/harness.mjs";

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

/** What the client has seen: built by `cargo xtask test mcp`. */
async function run(api, lifecycle) {
  const client = promisify(execFile)(process.env.NACRE_RMCP_CLIENT, [`${worker.url}/mcp`, api.bearer, lifecycle]);
  return JSON.parse((await client).stdout);
}

for (const lifecycle of ["initialize", "discover"]) {
  test(`rmcp, ${lifecycle}: tools, resources, prompts and completion`, async () => {
    const api = worker.api(`rust-${lifecycle}`);
    for (const [path, body] of [
      ["global/global", { data: { style: "plain" } }],
      ["project/p", { data: { db: { port: 1 } } }],
      ["branch/b", { parent: "p", data: {} }],
      ["task/fix-login", { parent: "b", data: { db: { kind: "pg" } } }],
    ]) {
      const answer = await api.put(`/v1/contexts/${path}`, body);
      assert.ok(answer.status < 300, answer.text);
    }
    const { seen, updated } = await run(api, lifecycle);
    const { tools, written, view, refused, resource, prompt, completed } = seen;
    for (const name of ["resolve_context", "manage_context", "promote_context"]) assert.ok(tools.includes(name), name);
    assert.ok(written.structuredContent.seq > 0, JSON.stringify(written));
    const data = { db: { kind: "pg", port: 1 }, style: "plain" };
    assert.deepEqual(view.structuredContent.data, data);
    assert.deepEqual(JSON.parse(view.content[0].text), view.structuredContent);
    assert.equal(refused.isError, true);
    assert.match(refused.content[0].text, /task\/fix-login/, "what may be meant");
    assert.deepEqual(JSON.parse(resource.contents[0].text).data, data);
    assert.match(JSON.stringify(prompt.messages), /noted by rmcp/);
    assert.deepEqual(completed, ["branch"]);
    assert.equal(updated?.params.uri, lifecycle === "discover" ? "nacre://views/task/fix-login" : undefined);
  });
}
