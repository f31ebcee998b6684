// The README's tour, typed as it stands there: every command is run, every answer shown is checked.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { root, start, token } from "./harness.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");
const part = (from, to) => readme.slice(readme.indexOf(from), readme.indexOf(to));
const tour = part("## A tour over HTTP", "## Live updates");
const live = part("## Live updates", "## As a component");

const lines = (text) =>
  text
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Steps: commands, and the answers shown for them. */
const steps = (text) =>
  [...text.matchAll(/```sh\n([\s\S]*?)```(?:\n```json\n([\s\S]*?)```)?/g)]
    .map(([, commands, answers]) => ({
      commands: commands
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("curl")),
      answers: lines(answers ?? ""),
    }))
    .filter(({ commands }) => commands.length > 0);

let worker;
before(async () => (worker = await start()));
after(() => worker?.stop());

/** What the commands need to know. */
function environment() {
  const scope = "contexts:read contexts:write secrets:reveal";
  const bearer = token({ sub: "alice", scope }, worker.secret);
  return { ...process.env, NACRE: worker.url, TOKEN: bearer, AUTH: `Authorization: Bearer ${bearer}` };
}

test("every command of the tour gives the answer shown", () => {
  assert.ok(steps(tour).length >= 8, "the tour is found in the README");
  run(tour);
});

test("the socket says what the README shows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-readme-"));
  const file = join(folder, "follow.mjs");
  writeFileSync(file, live.match(/```js\n([\s\S]*?)```/)[1]);
  const follower = spawn(process.execPath, [file], { env: environment() });
  try {
    const said = createInterface({ input: follower.stdout })[Symbol.asyncIterator]();
    const shown = lines(live.match(/```json\n([^`]*"subscribed"[^`]*)```/)[1]);
    contains(JSON.parse((await said.next()).value), shown[0], "the first line");
    run(live);
    contains(JSON.parse((await said.next()).value), shown[1], "the second line");
    assert.equal(shown.length, 2);
  } finally {
    follower.kill();
    rmSync(folder, { recursive: true });
  }
});

/** Runs the commands of a text. */
function run(text) {
  const env = environment();
  for (const { commands, answers } of steps(text)) {
    assert.equal(commands.length, answers.length, `one answer for each of ${commands}`);
    for (const [index, command] of commands.entries()) {
      const out = execFileSync("bash", ["-c", command], { cwd: root, env, encoding: "utf8" });
      contains(JSON.parse(out), answers[index], command);
    }
  }
}

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
