// The description at /openapi.json held against the Worker by schemathesis: requests made from it,
// right and wrong ones, must be answered as it says.
//
// `cargo xtask test contract` installs schemathesis and sets NACRE_SCHEMATHESIS to it. With
// NACRE_CONTRACT_SECONDS the search takes that long and begins anywhere; else it is short and, for
// the same description, the same.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { start, token } from "../e2e/harness.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const seconds = process.env.NACRE_CONTRACT_SECONDS;
const scope = "contexts:read contexts:write secrets:reveal admin";

let worker, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "nacre-contract-"));
  worker = await start();
  for (const user of ["alice", "bob"]) await seed(worker.api(user));
});
after(async () => {
  await worker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What SEEDED in hooks.py names, with some history. */
async function seed(api) {
  const build = { target: "wasm32", cache: true };
  for (const [path, body] of [
    ["global/global", { data: { build, reviewers: ["ada"], token: "t" }, rules: { "/policy": "lock" } }],
    ["project/shop", { data: { build: { cache: null } } }],
    ["branch/checkout", { parent: "shop", data: { build } }],
    ["task/fix-1", { parent: "checkout", data: { build, reviewers: [] } }],
    ["task/fix-1", { data: { build: { target: "wasm64", cache: true }, reviewers: ["grace"] } }],
  ]) {
    const { status, text } = await api.put(`/v1/contexts/${path}`, body);
    assert.ok(status < 300, text);
  }
}

test("every answer is one that the description names", { timeout: 900_000 }, async () => {
  const identity = (name) => ({
    name,
    fixedHeaders: [{ name: "Authorization", value: `Bearer ${token({ sub: name, scope }, worker.secret)}` }],
  });
  // JSON is YAML.
  const users = join(folder, "users.yaml");
  writeFileSync(users, JSON.stringify({ auth: [identity("alice"), identity("bob")] }));
  const { code, output } = await run(process.env.NACRE_SCHEMATHESIS, [
    "--config-file",
    join(here, "schemathesis.toml"),
    "run",
    `${worker.url}/openapi.json`,
    "--checks=all",
    // Whether a request that fits the description is taken also depends on what is stored (the
    // version that is current, the parent that is there) and on what is said in words (which
    // members an action of a batch takes: one type for all keeps the description readable).
    // tests/e2e and tests/vectors hold requests to that.
    // That wrong requests are refused is for a search, whose finds somebody looks at: a wrong
    // operation of a batch where each stands for itself has its refusal within a 200.
    `--exclude-checks=positive_data_acceptance${seconds ? "" : ",negative_data_rejection"}`,
    "--workers=1", // more would meet in another order each time
    "--auth-wfc",
    users,
    ...(seconds ? [`--max-time=${seconds}`] : ["--seed=1", "--max-examples=12"]),
  ]);
  const errors = worker.logs.filter(({ level }) => level === "error").map(({ message }) => message);
  assert.deepEqual(errors, [], "the Worker has logged errors");
  assert.equal(code, 0, output);
});

function run(command, args) {
  return new Promise((resolve, reject) => {
    // It leaves files where it runs.
    const env = {
      ...process.env,
      SCHEMATHESIS_HOOKS: join(here, "hooks.py"),
      PYTHONDONTWRITEBYTECODE: "1",
    };
    const child = spawn(command, args, { cwd: folder, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        process.stdout.write(text);
      });
    }
    child.on("error", reject).on("close", (code) => resolve({ code, output }));
  });
}
