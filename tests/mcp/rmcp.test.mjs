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
async function seen(api, lifecycle) {
  const run = promisify(execFile)(process.env.NACRE_RMCP_CLIENT, [`${worker.url}/mcp`, api.bearer, lifecycle]);
  return JSON.parse((await run).stdout);
}

for (const lifecycle of ["initialize", "discover"]) {
  test(`rmcp, ${lifecycle}: tools, resources, prompts and completion`, async () => {
    const api = worker.api(`rust-${lifecycle}`);
    for (const [path, body] of [
      ["global/global", { data: { style: "plain" } }],
      ["project/p", { data: { db: { port: 1 } } }],
      ["branch/b", { parent: "p", data: {} }],
      ["task/t", { parent: "b", data: { db: { kind: "pg" } } }],
    ]) {
      const answer = await api.put(`/v1/contexts/${path}`, body);
      assert.ok(answer.status < 300, answer.text);
    }
    const { tools, written, view, refused, resource, prompt, completed, updated } = await seen(api, lifecycle);
    assert.equal(tools.length, 13);
    assert.ok(tools.includes("manage_context"), tools);
    assert.ok(written.seq > 0, JSON.stringify(written));
    const data = { db: { kind: "pg", port: 1 }, style: "plain" };
    assert.deepEqual(view.structuredContent.data, data);
    assert.deepEqual(JSON.parse(view.content[0].text), view.structuredContent);
    assert.equal(refused.isError, true);
    assert.match(refused.content[0].text, /task\/t\b/, "what may be meant");
    assert.deepEqual(JSON.parse(resource.contents[0].text).data, data);
    assert.match(JSON.stringify(prompt.messages), /noted by rmcp/);
    assert.deepEqual(completed, ["branch"]);
    assert.equal(updated?.params.uri, lifecycle === "discover" ? "nacre://views/task/t" : undefined);
  });
}
