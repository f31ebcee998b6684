// examples/ci: passes as it is, and fails with a report for every kind of thing it is there for.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../..");
const example = join(root, "examples/ci");
const python = process.env.NACRE_PYTHON;

/** Runs the check on a copy of the example that `edit` has changed. */
function check(edit = () => {}, ...options) {
  const folder = mkdtempSync(join(tmpdir(), "nacre-ci-"));
  try {
    cpSync(example, folder, { recursive: true });
    const replace = (file, from, to) => {
      const text = readFileSync(join(folder, file), "utf8");
      assert.ok(text.includes(from), `${file} holds ${from}`);
      writeFileSync(join(folder, file), text.replace(from, to));
    };
    edit(replace, folder);
    const given = [join(folder, "check.py"), "--component", join(root, "dist/nacre-resolver.wasm")];
    const run = (...more) => {
      const { status, stdout, stderr } = spawnSync(python, [...given, ...more], { encoding: "utf8" });
      return { status, said: stdout + stderr };
    };
    return { ...run(...options), again: options.length ? run() : undefined };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const suite = (name, body) => test(`ci: ${name}`, { skip: python ? false : "no Python here" }, body);

suite("the example passes as it is", () => {
  const { status, said } = check();
  assert.equal(said, "6 contexts are sound, 3 views are as pinned\n");
  assert.equal(status, 0);
});

suite("a change to a shared layer is told with the views it alters and the layer", () => {
  const { status, said } = check((replace) =>
    replace("layers/global.json", '"default": "small"', '"default": "medium"'),
  );
  assert.equal(status, 1);
  assert.match(said, /the view of task\/guest-checkout is not what is pinned/);
  assert.match(said, /replace \/models\/default "medium" {2}\(layers\/global\.json\)/);
  assert.doesNotMatch(said, /view of task\/cart-latency/, "decides for itself");
});

suite("a lock that is broken is told", () => {
  const { status, said } = check((replace) =>
    replace("layers/shop.json", '"data": {', '"data": { "security": { "tls": "1.0" },'),
  );
  assert.equal(status, 1);
  assert.match(said, /error: lock-broken: layers\/shop\.json: project\/shop \/security/);
});

suite("a secret in the clear is told, and not shown", () => {
  const { status, said } = check((replace) =>
    replace("layers/work.ndjson", '"goal":"buy', '"db_password":"hunter2-hunter2","goal":"buy'),
  );
  assert.equal(status, 1);
  assert.match(said, /secret-in-clear: layers\/work\.ndjson: task\/guest-checkout \/db_password/);
  assert.match(said, /add \/db_password \(not shown\)/);
  assert.doesNotMatch(said, /hunter2/);
});

suite("a pinned context that is gone is told", () => {
  const { status, said } = check((replace) => replace("layers/work.ndjson", '"docs"', '"dogs"'));
  assert.equal(status, 1);
  assert.match(said, /project\/docs is pinned, and gone/);
});

suite("files that cannot be read are named", () => {
  const twice = check((replace) => replace("layers/shop.json", '"data": {', '"data": { "tests": 1, "tests": 2,'));
  assert.equal(twice.status, 1);
  assert.match(twice.said, /^error: layers\/shop\.json: twice in one object: tests$/m);
  const rule = check((replace) => replace("layers/shop.json", '"union"', '"join"'));
  assert.equal(rule.status, 1);
  assert.match(rule.said, /^error: layers\/shop\.json: invalid-rules: /m);
});

suite("--update pins a change that is meant", () => {
  const edit = (replace) => replace("layers/global.json", '"approvals": 1', '"approvals": 3');
  const { status, said, again } = check(edit, "--update");
  assert.equal(said, "6 contexts are sound, 3 views are pinned\n");
  assert.equal(status, 0);
  assert.deepEqual(again, { status: 0, said: "6 contexts are sound, 3 views are as pinned\n" });
});

suite("--update pins nothing while the layers are wrong", () => {
  const edit = (replace) => replace("layers/work.ndjson", '"goal":"buy', '"db_password":"hunter2-hunter2","goal":"buy');
  const { status, said, again } = check(edit, "--update");
  assert.equal(status, 1);
  assert.match(said, /nothing is pinned/);
  assert.equal(again.status, 1);
});
