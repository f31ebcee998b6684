// The package's README: its examples are one program, which must check, run, and print what they say.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { root, startWorker, token, unpacked } from "./stage.mjs";

const tools = process.env.NACRE_NPM_TOOLS ?? join(root, "tests/browser");
const run = (program, args, cwd) =>
  new Promise((resolve, reject) => {
    const ended = (error, said, complaint) =>
      error ? reject(new Error(`${error.message}\n${said}${complaint}`)) : resolve(said);
    execFile(program, args, { cwd, encoding: "utf8", timeout: 60_000 }, ended).stdin.end();
  });

let worker, project;
before(async () => {
  worker = await startWorker();
  project = mkdtempSync(join(tmpdir(), "nacre-readme-"));
  const { folder, [Symbol.dispose]: done } = unpacked();
  mkdirSync(join(project, "node_modules/@nacre"), { recursive: true });
  cpSync(join(folder, "package"), join(project, "node_modules/@nacre/context"), { recursive: true });
  done();
  writeFileSync(join(project, "package.json"), '{"name":"app","private":true,"type":"module"}');
});
after(async () => {
  await worker?.stop();
  if (project) rmSync(project, { recursive: true, force: true });
});

test("the examples check, run, and print what they say", async () => {
  const readme = readFileSync(join(project, "node_modules/@nacre/context/README.md"), "utf8");
  const examples = [...readme.matchAll(/```ts\n([^`]*?)```/g)].map(([, example]) => example).join("\n");
  const printed = [...examples.matchAll(/^ *\/\/ prints (.*)$/gm)].map(([, line]) => line);
  assert.ok(printed.length > 8, `${printed.length} lines are said to be printed`);

  // Only what a reader would fill in: where the server is, who asks, and the other device.
  const [address, asks, other] = ["https://nacre.example", "fetchToken()", "\nawait elsewhere.update("];
  for (const part of [address, asks, other]) assert.ok(examples.includes(part), part);
  const bearer = token({ sub: "reader" }, worker.secret);
  const program = `
    async function fetchToken(): Promise<string> { return ${JSON.stringify(bearer)}; }
    ${examples.replace(address, worker.url)}
    await elsewhere.close();`;
  const elsewhere = `\nconst elsewhere = await open({ url: ${JSON.stringify(worker.url)}, token: fetchToken });`;
  writeFileSync(join(project, "readme.ts"), program.replace(other, elsewhere + other));

  const flags = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2023,dom,dom.iterable"];
  await run(join(tools, "node_modules/.bin/tsc"), [...flags, "--module", "nodenext", "readme.ts"], project);
  const said = await run(process.execPath, ["readme.js"], project);
  assert.deepEqual(said.trimEnd().split("\n"), printed);

  const { body } = await worker.api("reader").get("/v1/contexts/task/cart-latency");
  assert.equal(body.data.goal, "below 100 ms");
});
