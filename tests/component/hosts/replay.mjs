// Replays the transcript on Node, through jco: every answer has to be the one that wasmtime gave.
//
//     node replay.mjs FOLDER TRANSCRIPT    where FOLDER holds the transpiled component

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve as absolute } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, transcript] = process.argv.slice(2).map((path) => absolute(path));
const { lint, resolver, search, store } = await import(pathToFileURL(join(folder, "nacre.js")));

/** A chain of layers, given as data and rules from the global one downward. */
const places = [
  ["global", "global"],
  ["project", "p"],
  ["branch", "b"],
  ["task", "t"],
  ["task", "t"],
];
const chain = (layers) =>
  layers.slice(0, 5).map(([data, rules], place) => {
    const [level, id] = places[place];
    return { level, id, data, rules: rules ?? undefined };
  });

const address = (text) => {
  const [level, id] = text.split("/");
  return { level, id };
};
const shown = (address) => (address ? `${address.level}/${address.id}` : null);

/** A context's changes, each a second after the one before. */
function entropyOf(count) {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setBigUint64(0, BigInt(count), true);
  return seed;
}

function exported(of) {
  const lines = of.exportLines(false);
  const parts = [];
  for (let part; (part = lines.next()) !== undefined; ) parts.push(part);
  return parts.join("");
}

/** The models, from their files. */
function loaded() {
  const files = ["vocab.txt", "static-s128i4.bin", "expand-top16.bin", "splade-tiny-i4.bin"];
  const models = join(import.meta.dirname, "../../../models");
  return search.Models.load(...files.map((file) => new Uint8Array(readFileSync(join(models, file)))));
}

const calls = {
  resolve: (...layers) => resolver.resolve(chain(layers)),
  "resolve-prepared": (...layers) => {
    const prepared = chain(layers).map((layer) => resolver.PreparedLayer.prepare(layer));
    return resolver.resolvePrepared(prepared);
  },
  explain: (...layers) => {
    const { origins, ignored } = resolver.explain(chain(layers));
    return {
      origins: origins.map((o) => [o.pointer, o.layer, o.rule, [...o.shadowed]]),
      ignored: ignored.map((i) => [i.pointer, i.layer, i.lockedBy ?? null]),
    };
  },
  hash: (...layers) => resolver.hash(chain(layers)),
  diff: resolver?.diff,
  "merge-patch": resolver?.mergePatch,
  "json-patch": resolver?.jsonPatch,
  append: resolver?.append,
  unset: resolver?.unset,
  canonical: resolver?.canonical,
  check: (...contexts) =>
    lint
      .check(
        contexts.map(([at, parent, data, rules]) => ({
          address: address(at),
          parent: parent ?? undefined,
          data,
          rules: rules ?? undefined,
        })),
      )
      .map((f) => ({
        bytes: f.bytes === undefined ? null : Number(f.bytes),
        context: shown(f.address),
        kind: f.kind,
        message: f.message,
        other: shown(f.other),
        pointer: f.pointer,
        severity: f.severity,
      })),
  open: (lines) => exported(store.Store.open("alice", lines, new Uint8Array(32).fill(1))),
  store: (...bodies) => {
    const of = store.Store.create("alice", new Uint8Array(32).fill(1));
    const answers = bodies.map((body, place) => {
      const count = place + 1;
      return answerOf(() => {
        const answer = of.batch(body, BigInt(count * 1000), entropyOf(count));
        return [answer.body ?? null, Number(answer.seq), answer.etag ?? null, answer.replayed];
      });
    });
    return { answers, export: exported(of) };
  },
  search: (contexts, vectors, withModels, questions) => {
    const models = withModels ? loaded() : undefined;
    const of = new search.Collection();
    for (const [context, seq, ...notes] of contexts) of.put(context, BigInt(seq), ...notes);
    for (const [at, vector] of vectors) of.giveVector(address(at), new Float32Array(vector));
    const meanings = [];
    for (let encoded; models && (encoded = of.encode(models)) !== undefined; ) {
      meanings.push([shown(encoded.address), Buffer.from(encoded.meaning).toString("hex")]);
    }
    return { answers: questions.map((q) => answerOf(() => of.find(q, models))), meanings };
  },
};

/** What a call gives, as the transcript says it. What is no error of the component is one here. */
function answerOf(call) {
  try {
    return { ok: call() };
  } catch (thrown) {
    const error = thrown.payload ?? thrown;
    if (!error?.code || !error.kind) throw thrown;
    const { kind, code, detail, pointer, document } = error;
    return { error: { kind, code, detail, pointer: pointer ?? null, document } };
  }
}

const counts = {};
for (const line of readFileSync(transcript, "utf8").split("\n").filter(Boolean)) {
  const { topic, title, call, arguments: given, ...expected } = JSON.parse(line);
  assert.deepEqual(
    answerOf(() => calls[call](...given)),
    expected,
    `${topic}: ${title}`,
  );
  counts[topic] = (counts[topic] ?? 0) + 1;
}
console.log(JSON.stringify(counts));
