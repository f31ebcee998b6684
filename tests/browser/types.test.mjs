// The types: the package's public face against those generated from its source, and what happens
// when one of them drifts.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { root } from "../e2e/harness.mjs";

const [FACE, INDEX, REPLICA, ERROR] = ["index.d.ts", "src/index.d.ts", "src/replica.d.ts", "src/error.d.ts"];
const [SEARCH_FACE, SEARCH] = ["search.d.ts", "src/search/search.d.ts"];
const DRIFTS = [
  [
    "a method only in the face",
    "more",
    FACE,
    "  close(): Promise<void>;",
    "  close(): Promise<void>;\n  more(): void;",
  ],
  [
    "a method only in the source",
    "more",
    REPLICA,
    "    close(): Promise<void>;",
    "    close(): Promise<void>;\n    more(): void;",
  ],
  [
    "a parameter that takes more",
    "move",
    REPLICA,
    "move(level: Level, id: string, parent: string,",
    "move(level: Level, id: string, parent: string | null,",
  ],
  [
    "a parameter that takes less",
    "move",
    FACE,
    "move(level: Level, id: string, parent: string,",
    'move(level: Level, id: string, parent: "p",',
  ],
  ["a parameter that became optional", "rollback", REPLICA, "version: number, options?", "version?: number, options?"],
  ["another result", "pending", REPLICA, "pending(): PendingWrite[];", "pending(): Written[];"],
  ["a member that became writable", "user", REPLICA, "readonly user: string;", "user: string;"],
  [
    "an export only in the source",
    "VERSION",
    INDEX,
    "export declare const version: string;",
    "export declare const version: string;\nexport declare const VERSION: string;",
  ],
  ["an export of another type", "version", FACE, "export const version: string;", "export const version: number;"],
  [
    "a member only of the source's error",
    "more",
    ERROR,
    "readonly code: string;",
    "readonly code: string;\n    readonly more: string;",
  ],
  ["a method only in the search's face", "more", SEARCH_FACE, "  close(): void;", "  close(): void;\n  more(): void;"],
  [
    "a method only in the search's source",
    "more",
    SEARCH,
    "    close(): void;",
    "    close(): void;\n    more(): void;",
  ],
  ["another member of the error", "status", FACE, "readonly status: number | undefined;", "readonly status: number;"],
];

const folder = mkdtempSync(join(tmpdir(), "nacre-types-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Copies the types and the comparison, with an edit in one file of the copy. */
function copy(name, file, from, to) {
  const types = join(folder, name, "dist/npm-types");
  cpSync(join(root, "dist/npm-types"), types, { recursive: true });
  cpSync(join(root, "tests/browser/face.ts"), join(folder, name, "tests/browser/face.ts"));
  if (!file) return;
  const text = readFileSync(join(types, file), "utf8");
  assert.equal(text.split(from).length, 2, `\`${from}\` must be in ${file} once`);
  writeFileSync(join(types, file), text.replace(from, to));
}

/** What the compiler says about all copies, in one run. */
let said;
before(async () => {
  copy("as-it-is");
  for (const [at, [, , ...edit]] of DRIFTS.entries()) copy(`drift-${at}`, ...edit);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "ES2022",
    lib: ["ES2024", "ESNext.Disposable", "DOM"],
    module: "ESNext",
    moduleResolution: "Bundler",
    types: [],
    paths: {
      "@core": [join(root, "dist/npm-glue/core.d.ts")],
      "@search": [join(root, "dist/npm-glue/search.d.ts")],
    },
  };
  const config = { compilerOptions, include: ["*/tests/browser/face.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/.bin/tsc");
  said = await new Promise((resolve) => {
    execFile(tsc, ["--project", folder, "--pretty", "false"], { cwd: folder }, (_, output) =>
      resolve(output.split("\n")),
    );
  });
});

const about = (name) => said.filter((line) => line.startsWith(`${name}/`));

test("the public face is what the source makes", () => {
  assert.deepEqual(about("as-it-is"), []);
});

for (const [at, [name, member]] of DRIFTS.entries()) {
  test(`the comparison fails for ${name}`, () => {
    const errors = about(`drift-${at}`);
    assert.match(errors.join("\n"), new RegExp(`face\\.ts.*"${member}"`));
  });
}
