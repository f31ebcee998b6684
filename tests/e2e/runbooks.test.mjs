// The runbooks, typed as they stand in docs/runbooks.md: every command is run, every answer shown is
// checked. `wrangler secret put` deploys to the Worker under test.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text as all } from "node:stream/consumers";
import { after, before, test } from "node:test";

import { root, start, token } from "./harness.mjs";

const document = readFileSync(join(root, "docs/runbooks.md"), "utf8");
const sections = document.split(/^## /m).slice(1);

/** Stands between the outputs of two blocks. */
const BORDER = "\u001e";
const vars = {
  NACRE_JWT_SECRET: "the secret before the rotation is long enough",
  NACRE_MASTER_KEYS: `m1:${Buffer.alloc(32, 1).toString("base64")}`,
};

let worker, deploys, folder;
before(async () => {
  deploys = createServer(async (request, response) => {
    const value = await all(request);
    await worker.restart({ [request.url.slice(1)]: value });
    response.end();
  });
  deploys.listen(0, "127.0.0.1");
  await once(deploys, "listening");
  folder = mkdtempSync(join(tmpdir(), "nacre-runbooks-"));
  const wrangler = join(folder, "wrangler");
  const address = `http://127.0.0.1:${deploys.address().port}`;
  writeFileSync(wrangler, `#!/bin/sh\n[ "$1 $2" = "secret put" ] && curl -sf --data-binary @- "${address}/$3"\n`);
  chmodSync(wrangler, 0o755);
});
after(async () => {
  deploys?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** The blocks of commands, each with the answer shown for its last one, if there is any. */
const blocks = (section) =>
  [...section.matchAll(/```sh\n([\s\S]*?)```(?:\n```json\n([\s\S]*?)```)?/g)].map(([, commands, answer]) => ({
    commands,
    answer: answer && JSON.parse(answer),
  }));

test("every section has commands, and every command is in a block that is run", () => {
  for (const section of sections) assert.ok(blocks(section).length > 0, section.split("\n")[0]);
  assert.equal(document.split("```sh").length - 1, sections.flatMap(blocks).length);
});

for (const section of sections) {
  const [title] = section.split("\n", 1);
  test(title, async (t) => {
    worker = await start({ vars });
    t.after(() => worker.stop());
    const scope = "contexts:read contexts:write secrets:reveal admin";
    const bearer = token({ sub: "alice", scope }, vars.NACRE_JWT_SECRET);
    const api = worker.api("alice", { scope });
    for (const [address, data] of [
      ["global/global", { model: "small" }],
      ["project/shop", { language: "rust", api_key: "tulip-4471" }],
    ]) {
      assert.equal((await api.put(`/v1/contexts/${address}`, { data })).status, 201);
    }
    const environment = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      NACRE: worker.url,
      AUTH: `Authorization: Bearer ${bearer}`,
      MASTER_KEYS: vars.NACRE_MASTER_KEYS,
      JWT_SECRET: vars.NACRE_JWT_SECRET,
    };
    const steps = blocks(section);
    const script = steps.map(({ commands }) => commands).join(`\nprintf '${BORDER}'\n`);
    const outputs = (await run(script, environment)).split(BORDER);
    assert.equal(outputs.length, steps.length);
    steps.forEach(({ commands, answer }, index) => {
      if (answer === undefined) return;
      contains(lastJson(outputs[index], commands), answer, commands);
    });
  });
}

async function run(script, env) {
  const shell = spawn("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: folder, env });
  const [out, faults, [code]] = await Promise.all([all(shell.stdout), all(shell.stderr), once(shell, "close")]);
  assert.equal(code, 0, `${faults}\n${out}`);
  return out;
}

/** Answers stand behind one another, without a line break. */
function lastJson(output, commands) {
  for (let at = output.lastIndexOf("{"); at >= 0; at = output.lastIndexOf("{", at - 1)) {
    try {
      const value = JSON.parse(output.slice(at));
      if (at === 0 || output[at - 1] === "}" || output[at - 1] === "\n") return value;
    } catch {
      // It begins further in front.
    }
  }
  return assert.fail(`no answer of ${commands}\n${output}`);
}

/** Whether `actual` has everything that `shown` has. */
function contains(actual, shown, where) {
  if (shown === null || typeof shown !== "object") return assert.deepEqual(actual, shown, where);
  if (Array.isArray(shown)) assert.equal(actual?.length, shown.length, `${where}\n${JSON.stringify(actual)}`);
  for (const [name, value] of Object.entries(shown)) {
    assert.ok(actual !== null && name in actual, `${where}\nhas no ${name}: ${JSON.stringify(actual)}`);
    contains(actual[name], value, `${where} /${name}`);
  }
}
