// Resolving chains in Node: the core in wasm, and what npm offers.
//
// The first line on stdin is a set of layers and chains. Each further line names a contestant, who
// then takes a turn; the answer is nanoseconds for one chain. `digest <contestant>` answers with the
// SHA-256 of all views instead.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const deepmerge = require("deepmerge");
const merge = require("lodash.merge");
const { Chains } = require(process.argv[2]);

const TURN = 20e6; // nanoseconds that a turn lasts, at least
const SAMPLE = 60; // chains in a pass of what is slow

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { layers, chains } = JSON.parse((await lines.next()).value);
const trees = layers.map((layer) => JSON.parse(layer));
const core = new Chains();
for (const layer of layers) core.layer(Buffer.from(layer));
for (const chain of chains) core.chain(Uint32Array.from(chain));

const all = chains.keys().toArray();
const sample = all.filter((place) => place % Math.ceil(all.length / SAMPLE) === 0);
const arrayMerge = (_, lower) => lower; // arrays replace; they would be concatenated
const contestants = {
  wasm: { items: all.length, pass: () => core.resolve_all() },
  "wasm hash": { items: all.length, pass: () => core.hash_all() },
  "wasm bytes": {
    items: all.length,
    pass: () => all.forEach((place) => core.resolve(place)),
    view: (place) => core.resolve(place),
  },
  deepmerge: {
    items: sample.length,
    pass: () =>
      sample.forEach((place) =>
        JSON.stringify(
          deepmerge.all(
            chains[place].map((layer) => trees[layer]),
            { arrayMerge },
          ),
        ),
      ),
  },
  "lodash.merge": {
    items: sample.length,
    pass: () => sample.forEach((place) => JSON.stringify(merge({}, ...chains[place].map((layer) => trees[layer])))),
  },
};

const time = (pass, passes) => {
  const start = process.hrtime.bigint();
  for (let n = 0; n < passes; n++) pass();
  return Number(process.hrtime.bigint() - start) / passes;
};
console.log("ready");
for await (const line of lines) {
  if (line.startsWith("digest ")) {
    const { view } = contestants[line.slice(7)];
    const digest = createHash("sha256");
    for (const place of all) digest.update(view(place));
    console.log(digest.digest("hex"));
    continue;
  }
  const contestant = contestants[line];
  if (!contestant.passes) {
    // The first passes let V8 compile, and say how many make a turn.
    const once = Math.min(...Array.from({ length: 5 }, () => time(contestant.pass, 1)));
    contestant.passes = Math.max(1, Math.ceil(TURN / once));
  }
  console.log(time(contestant.pass, contestant.passes) / contestant.items);
}
