// The README's tour, typed as it stands there: every command is run, every answer shown is checked.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { root, start, token } from "./harness.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");
const tour = readme.slice(readme.indexOf("## A tour over HTTP"), readme.indexOf("## Where things are"));

/** The tour's steps: commands, and the answers shown for them. */
const steps = [...tour.matchAll(/```sh\n([\s\S]*?)```(?:\n```json\n([\s\S]*?)```)?/g)]
  .map(([, commands, answers]) => ({
    commands: commands.trim().split("\n").filter((line) => line.startsWith("curl")),
    answers: (answers ?? "").trim().split("\n").filter(Boolean).map((line) => JSON.parse(line)),
  }))
  .filter(({ commands }) => commands.length > 0);

let worker;
before(async () => (worker = await start()));
after(() => worker.stop());

test("every command of the tour gives the answer shown", async () => {
  assert.ok(steps.length >= 8, "the tour is found in the README");
  const scope = "contexts:read contexts:write secrets:reveal";
  const env = {
    ...process.env,
    NACRE: worker.url,
    AUTH: `Authorization: Bearer ${token({ sub: "alice", scope }, worker.secret)}`,
  };
  for (const { commands, answers } of steps) {
    assert.equal(commands.length, answers.length, `one answer for each of ${commands}`);
    for (const [index, command] of commands.entries()) {
      const out = execFileSync("bash", ["-c", command], { cwd: root, env, encoding: "utf8" });
      contains(JSON.parse(out), answers[index], command);
    }
  }
});

/** Whether `actual` has everything that `shown` has; the README leaves out what would be noise. */
function contains(actual, shown, where) {
  if (shown === null || typeof shown !== "object") return assert.deepEqual(actual, shown, where);
  assert.equal(Array.isArray(actual), Array.isArray(shown), where);
  if (Array.isArray(shown)) assert.equal(actual.length, shown.length, where);
  for (const [name, value] of Object.entries(shown)) {
    assert.ok(actual !== null && name in actual, `${where}\nhas no ${name}: ${JSON.stringify(actual)}`);
    contains(actual[name], value, `${where} /${name}`);
  }
}
