// The components on Node, through jco, and in Python: the transcripts of the wasmtime run give the
// same answers there, and the README's examples do what they say.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../../..");
const folder = join(root, "dist/component");
const component = (name) => join(root, `dist/${name}.wasm`);
const transcript = (name) => join(folder, `${name}.ndjson`);
/** Each component, and how many topics of vectors it has. */
const components = [
  ["nacre", 14],
  ["nacre-resolver", 10],
  ["nacre-search", 2],
];
const python = process.env.NACRE_PYTHON;
const withPython = { skip: python ? false : "no Python here" };

const run = (program, ...given) => execFileSync(program, given, { cwd: folder, encoding: "utf8" });
const here = (name) => join(import.meta.dirname, name);

before(() => {
  mkdirSync(folder, { recursive: true });
  for (const [name] of components) {
    run(process.execPath, here("transpile.mjs"), component(name), join(folder, name));
  }
  cpSync(component("nacre"), join(folder, "nacre.wasm"));
});

/** How many calls of each topic the wasmtime run made. */
function calls(name, topics) {
  const counts = {};
  for (const line of readFileSync(transcript(name), "utf8").split("\n").filter(Boolean)) {
    const { topic } = JSON.parse(line);
    counts[topic] = (counts[topic] ?? 0) + 1;
  }
  assert.ok(Object.keys(counts).length >= topics, "wasmtime has run the vectors");
  return counts;
}

for (const [name, topics] of components) {
  test(`${name}: Node gives every answer that wasmtime gives`, () => {
    const said = run(process.execPath, here("replay.mjs"), join(folder, name), transcript(name));
    assert.deepEqual(JSON.parse(said), calls(name, topics));
  });

  test(`${name}: Python gives every answer that wasmtime gives`, withPython, () => {
    const said = run(python, here("replay.py"), component(name), transcript(name));
    assert.deepEqual(JSON.parse(said), calls(name, topics));
  });
}

test("Node refuses a document that is bytes, and mends half of a surrogate pair", async () => {
  const { resolver } = await import(pathToFileURL(join(folder, "nacre", "nacre.js")));
  assert.throws(() => resolver.canonical(new TextEncoder().encode("{}")), TypeError);
  assert.equal(resolver.canonical('["\ud800"]'), '["\ufffd"]');
  assert.throws(() => resolver.canonical('["\\ud800"]'), { code: "invalid-json" });
});

test("Python refuses a document that is bytes or has half of a surrogate pair", withPython, () => {
  assert.deepEqual(JSON.parse(run(python, here("refusals.py"), component("nacre"))), {
    bytes: "TypeError",
    "half a pair": "UnicodeEncodeError",
    "half a pair, escaped": "invalid-json",
  });
});

/** The README's example in a language, and what it says that it prints. */
function example(language) {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const section = readme.slice(readme.indexOf("## As a component"));
  const [, code] = section.match(new RegExp("```" + language + "\\n([\\s\\S]*?)```"));
  return code;
}

test("the README's example runs on Node", () => {
  writeFileSync(join(folder, "readme.mjs"), example("js"));
  run(process.execPath, "readme.mjs");
});

test("the README's example runs in Python", withPython, () => {
  writeFileSync(join(folder, "readme.py"), example("python"));
  run(python, "readme.py");
});
