// The vectors of `resolve`, by way of the package: in Node and in a page alike. Plain JavaScript
// that both can load.

const LEVELS = ["global", "project", "branch", "task"];
const TIME = "2026-01-01T00:00:00.000Z";

/** The lines of an export that hold the layers of a vector, which is text: parsing rounds integers, and
 * V8's (Node 24, Chromium 148) mixes up the names `\n` and `\\` once it has met both. */
export function exportOf(vector) {
  const line = ([, data, rules], at) => {
    const parent = JSON.stringify(at === 0 ? null : at === 1 ? "global" : LEVELS[at - 1]);
    const version = `{"at":"${TIME}","by":"alice","change":"create","data":${data},"parent":${parent},"rules":${rules},"seq":${at + 1},"summary":null,"version":1}`;
    const id = LEVELS[at];
    const told = `"created_at":"${TIME}","data":${data},"history":[${version}],"id":"${id}","insights":[],"level":"${id}"`;
    return `{${told},"parent":${parent},"progress":[],"rules":${rules},"updated_at":"${TIME}","updated_by":"alice","version":1}`;
  };
  const [, layers] = /^ {2}"layers": (.*),$/m.exec(vector);
  return [...layers.matchAll(/\{"data":(.*?),"rules":(\{[^{}]*\})\}/g)].map(line).join("\n");
}

/** Reads JSON; an integer that JavaScript might round is a string with a mark. */
const read = (text) => JSON.parse(text.replace(/(?<=[:,[])-?\d{16,}(?=[,\]}])/g, '"#$&"'));

/** Opens each vector's layers as a store, and says what was wrong. */
export async function run({ open }, base, token, vectors) {
  const wrong = [];
  for (const { name, text } of vectors) {
    const vector = read(text);
    const replica = await open({ url: `${base}/${name}/`, token, storage: "memory" });
    const level = LEVELS[vector.layers.length - 1];
    const said = replica.explain(level, level);
    if (said.hash !== vector.hash) wrong.push(`${name}: hash ${said.hash}`);
    if (!same(read(replica.resolveText(level, level)), vector.view)) wrong.push(`${name}: view`);
    const origins = Object.entries(said.origins).map(([pointer, { level, rule, shadowed }]) => [
      pointer,
      { layer: LEVELS.indexOf(level), rule, shadowed: shadowed.map(({ level }) => LEVELS.indexOf(level)) },
    ]);
    if (!same(Object.fromEntries(origins), vector.origins)) wrong.push(`${name}: origins`);
    await replica.close();
  }
  return wrong;
}

function same(a, b) {
  if (typeof a !== "object" || a === null || b === null) return Object.is(a, b);
  const [names, others] = [Object.keys(a).sort(), Object.keys(b ?? {}).sort()];
  return names.length === others.length && names.every((name, at) => name === others[at] && same(a[name], b[name]));
}
