// The scripted agent of tests/mcp at its jobs: `[{title, nacre, peer, exception}]` on stdout, each with the
// calls and tokens of one who can do the job, or why it cannot.

import { JOBS } from "../../tests/mcp/agent/jobs.mjs";
import { play, startBoth } from "../../tests/mcp/agent/play.mjs";

const both = await startBoth();
const played = [];
for (const job of JOBS) {
  const { title, exception, peer } = job;
  const reason = typeof peer === "string" ? peer : undefined;
  played.push({
    title,
    exception,
    reason,
    nacre: await play(both, "nacre", job),
    peer: reason ? null : await play(both, "peer", job),
  });
}
await both.stop();
console.log(JSON.stringify(played));
