// A scripted agent at ten kinds of work, through the official client: how many calls and tokens each takes,
// beside the reference memory server. `cargo xtask bench mcp-agent` keeps the table.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { play, startBoth } from "./agent/play.mjs";
import { JOBS } from "./agent/jobs.mjs";

let both;
before(async () => (both = await startBoth()));
after(() => both?.stop());

for (const job of JOBS) {
  test(`job: ${job.title}`, async (t) => {
    const own = await play(both, "nacre", job);
    t.diagnostic(`nacre: ${own.calls} calls, ${own.tokens} tokens`);
    assert.equal(own.calls, job.calls);
    assert.ok(own.tokens <= job.most, `${own.tokens} tokens, of ${job.most}`);
    if (typeof job.peer === "string") return;
    const peer = await play(both, "peer", job);
    t.diagnostic(`server-memory: ${peer.calls} calls, ${peer.tokens} tokens`);
    assert.ok(own.calls <= peer.calls, `${own.calls} calls, of ${peer.calls}`);
    if (job.exception) assert.ok(own.tokens > peer.tokens, "it is no exception any more");
    else assert.ok(own.tokens < peer.tokens, `${own.tokens} tokens, the peer ${peer.tokens}`);
  });
}
