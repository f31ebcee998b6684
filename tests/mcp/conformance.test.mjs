// The official conformance suite, by its frozen lists of requirements for servers. The Worker is built
// with the fixtures that the suite asks for (`cargo xtask test mcp`).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";

import { start } from "../e2e/harness.mjs";
import { program } from "./installed.mjs";

const SUITE = program("@modelcontextprotocol/conformance");

/** How many scenarios of each list count. */
const LISTS = { "2026-07-28": 37, "2025-11-25": 30 };

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

function run(list) {
  const args = [SUITE, "server", "--url", `${worker.url}/mcp`, "--requirements", list];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (said += part));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
}

for (const [list, count] of Object.entries(LISTS)) {
  test(`the server list of ${list} passes in full`, async () => {
    const { code, said } = await run(list);
    const [scored, rest] = said.split(/^Not scored for/m);
    assert.ok(rest, `the suite did not come to its end:\n${said}`);
    const others = new Set([...rest.matchAll(/^\s+[✓✗] ([\w/-]+) \(/gm)].map(([, name]) => name));
    const outcomes = [...scored.matchAll(/^([✓✗]) ([\w/-]+): (\d+) passed, (\d+) failed/gm)];
    const counted = outcomes.filter(([, , name]) => !others.has(name));
    assert.deepEqual(
      counted.filter(([, mark, , , failed]) => mark !== "✓" || failed !== "0").map(([line]) => line),
      [],
      said,
    );
    assert.equal(counted.length, count);
    assert.equal(code, 0);
  });
}
