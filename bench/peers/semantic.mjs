// The search models in wasm under Node.
//
// The first line on stdin is a document and a query. Each further line names what to do once and
// time; the answer is nanoseconds. `digest` answers with the hash of what was encoded instead.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Meanings } = createRequire(import.meta.url)(process.argv[2]);

const TURN = 20e6; // nanoseconds that a turn lasts, at least
const DOCUMENTS = 10_000;

const read = (name) => readFileSync(new URL(`../../models/${name}`, import.meta.url));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { document, query } = JSON.parse((await lines.next()).value);
const models = new Meanings(
  read("vocab.txt"),
  read("static-s128i4.bin"),
  read("expand-top16.bin"),
  read("splade-tiny-i4.bin"),
);
models.fill(document, DOCUMENTS);
const passes = {
  document: () => models.encode_document(document),
  query: () => models.encode_query(query),
  score: () => models.score(query),
};
console.log("ready");

for await (const line of lines) {
  if (line === "digest") {
    console.log(models.digest(document, query));
    continue;
  }
  const start = process.hrtime.bigint();
  let done = 0;
  let taken = 0;
  do {
    passes[line]();
    done += 1;
    taken = Number(process.hrtime.bigint() - start);
  } while (taken < TURN);
  console.log(taken / done);
}
