// Search in Node: the core in wasm, and what npm offers.
//
// The first line on stdin is a set of documents, each as JSON text, and queries. Each further line
// names a contestant, who then takes a turn; the answer is nanoseconds for one query.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { create, insertMultiple, search } from "@orama/orama";
import MiniSearch from "minisearch";

const { Search } = createRequire(import.meta.url)(process.argv[2]);

const ANSWERS = 10;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { documents, queries } = JSON.parse((await lines.next()).value);

const core = new Search();
documents.forEach((document, place) => core.add(place, Buffer.from(document)));

const fields = documents.map((document, id) => ({ id: String(id), ...JSON.parse(document) }));
const mini = new MiniSearch({ fields: ["title", "text"] });
mini.addAll(fields);
const orama = create({ schema: { title: "string", text: "string" } });
await insertMultiple(orama, fields);

const contestants = {
  wasm: (query) => core.search(query),
  minisearch: (query) => mini.search(query).slice(0, ANSWERS),
  orama: (query) => search(orama, { term: query, limit: ANSWERS }),
};

console.log("ready");
for await (const name of lines) {
  const start = process.hrtime.bigint();
  for (const query of queries) await contestants[name](query);
  console.log(Number(process.hrtime.bigint() - start) / queries.length);
}
