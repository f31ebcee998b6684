// Context packs of the core in wasm.
//
// The first line on stdin has the store and what is asked of it; the answer is the size of the pack in
// bytes. Each further line is a turn; the answer is nanoseconds for one pack.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Packs } = createRequire(import.meta.url)(process.argv[2]);

const TURN = 50; // packs

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { contexts, task, tokens } = JSON.parse((await lines.next()).value);
const operations = contexts.map(({ id, ...more }) => ({ action: "create", context_id: id, ...more }));
const packs = new Packs(JSON.stringify({ operations }), task, tokens);

console.log(Buffer.byteLength(packs.pack()));
for await (const _ of lines) {
  const start = process.hrtime.bigint();
  for (let n = 0; n < TURN; n++) packs.pack();
  console.log(Number(process.hrtime.bigint() - start) / TURN);
}
