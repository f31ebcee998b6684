// Edits JSON text in place: a change of others goes into a draft without reformatting the rest of
// it, and every place in the text, such as the caret, is followed to where it is afterwards.

import { type Value, equal, isObject, parse, print } from "./json";

/** Text that takes the place of other text. */
interface Splice {
  from: number;
  to: number;
  text: string;
}

/** Text after some splices. */
export interface Edited {
  text: string;
  /** Where a place of the old text is in the new one. */
  moved: (place: number) => number;
}

/** A value in the text; `from` and `to` are its first character and the one after its last. */
interface Node {
  from: number;
  to: number;
  /** The members or items, in the order of the text. */
  parts: Part[];
}

/** A member or an item; `from` is where its name begins, or the item. */
interface Part {
  from: number;
  to: number;
  name: string;
  value: Node;
  /** The blanks before it. */
  blanks: string;
}

/** Brings text to another value. Only the places that differ are written anew. */
export function editText(text: string, value: Value): Edited {
  try {
    const edited = splice(text, differences(text, scan(text), parse(text), value));
    if (equal(parse(edited.text), value)) return edited;
  } catch {
    // It is nested too deeply to be walked.
  }
  return replaceText(text, print(value));
}

/** Replaces text by another one: all between their common beginning and their common end. */
export function replaceText(old: string, text: string): Edited {
  const most = Math.min(old.length, text.length);
  let from = 0;
  while (from < most && old[from] === text[from]) from++;
  let same = 0;
  while (same < most - from && old.at(-1 - same) === text.at(-1 - same)) same++;
  return splice(old, [{ from, to: old.length - same, text: text.slice(from, text.length - same) }]);
}

/** `splices` do not overlap, and are in order. */
function splice(old: string, splices: readonly Splice[]): Edited {
  let text = "";
  let end = 0;
  for (const one of splices) {
    text += old.slice(end, one.from) + one.text;
    end = one.to;
  }
  text += old.slice(end);
  const moved = (place: number): number => {
    let shift = 0;
    for (const one of splices) {
      if (place <= one.from) break;
      if (place < one.to) return one.from + shift + Math.min(place - one.from, one.text.length);
      shift += one.text.length - (one.to - one.from);
    }
    return place + shift;
  };
  return { text, moved };
}

const BLANKS = /[ \t\n\r]*/y;
const SCALAR = /"(?:[^"\\]|\\.)*"|[^\s,:[\]{}]+/y;

/** Where each item of an array begins, in text that is JSON. */
export const itemsOf = (text: string): number[] => scan(text).parts.map(({ from }) => from);

/** The places of all values in a text that is JSON. */
function scan(text: string): Node {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ""] = pattern.exec(text) ?? [];
    at += found.length;
    return found;
  };
  const value = (): Node => {
    const from = at;
    const open = text[at];
    if (open !== "{" && open !== "[") {
      take(SCALAR);
      return { from, to: at, parts: [] };
    }
    const parts: Part[] = [];
    do {
      at++; // past the bracket or the comma
      const blanks = take(BLANKS);
      if (text[at] === "}" || text[at] === "]") break;
      const begin = at;
      let name = "";
      if (open === "{") {
        name = JSON.parse(take(SCALAR)) as string;
        take(BLANKS);
        at++; // past the colon
        take(BLANKS);
      }
      const held = value();
      parts.push({ from: begin, to: at, name, value: held, blanks });
      take(BLANKS);
    } while (text[at] === ",");
    at++;
    return { from, to: at, parts };
  };
  take(BLANKS);
  return value();
}

/** The splices that make `after` of the text of `before`. */
function differences(text: string, node: Node, before: Value, after: Value): Splice[] {
  if (equal(before, after)) return [];
  const { parts } = node;
  const nothing = (gone: ReadonlySet<Part>, added: readonly unknown[]) => gone.size === 0 && added.length === 0;
  if (Array.isArray(before) && Array.isArray(after)) {
    const least = Math.min(before.length, after.length);
    let head = 0;
    while (head < least && equal(before[head], after[head])) head++;
    let tail = 0;
    while (tail < least - head && equal(before.at(-1 - tail), after.at(-1 - tail))) tail++;
    const pairs = least - head - tail;
    const changed = parts
      .slice(head, head + pairs)
      .flatMap((part, at) => differences(text, part.value, before[head + at] ?? null, after[head + at] ?? null));
    const gone = new Set(parts.slice(head + pairs, before.length - tail));
    const added = after.slice(head + pairs, after.length - tail).map((item): [string, Value] => ["", item]);
    if (nothing(gone, added)) return changed;
    return inOrder([...changed, ...arrange(text, node, gone, new Map([[parts[head + pairs - 1], added]]))]);
  }
  if (isObject(before) && isObject(after)) {
    const last = new Map(parts.map((part) => [part.name, part])); // the last of several counts
    const changed = [...last].flatMap(([name, part]) =>
      Object.hasOwn(after, name) ? differences(text, part.value, before[name] ?? null, after[name] ?? null) : [],
    );
    const gone = new Set(parts.filter(({ name }) => !Object.hasOwn(after, name)));
    const added = new Map<Part | undefined, [string, Value][]>();
    let behind: Part | undefined;
    for (const [name, value] of Object.entries(after)) {
      const there = last.get(name);
      if (there) behind = there;
      else added.set(behind, [...(added.get(behind) ?? []), [`${print(name)}: `, value]]);
    }
    if (nothing(gone, [...added])) return inOrder(changed);
    return inOrder([...changed, ...arrange(text, node, gone, added)]);
  }
  return [{ from: node.from, to: node.to, text: layOut(after, indentAt(text, node.from), true) }];
}

const inOrder = (splices: Splice[]): Splice[] => splices.sort((a, b) => a.from - b.from || a.to - b.to);

/**
 * Takes parts out of an object or array, and puts others in: each group behind the part that it is
 * listed under, or at the beginning. A name comes with its colon; an item's is empty.
 */
function arrange(
  text: string,
  node: Node,
  gone: ReadonlySet<Part>,
  added: ReadonlyMap<Part | undefined, readonly [string, Value][]>,
): Splice[] {
  const stay = node.parts.filter((part) => !gone.has(part));
  const [first] = stay;
  const last = stay.at(-1);
  if (!first || !last) {
    const indent = indentAt(text, node.from);
    const put = [...added.values()]
      .flat()
      .map(([name, value]) => `\n${indent}  ${name}${layOut(value, `${indent}  `, true)}`);
    return [{ from: node.from + 1, to: node.to - 1, text: put.length === 0 ? "" : `${put.join(",")}\n${indent}` }];
  }
  const all: Splice[] = [];
  node.parts.forEach((part, at) => {
    // Each takes the comma behind it along; those at the end take the one before them.
    if (gone.has(part) && part.from < last.from) {
      all.push({ from: part.from, to: node.parts[at + 1]?.from ?? part.to, text: "" });
    }
  });
  const end = node.parts.at(-1);
  if (end && end !== last) all.push({ from: last.to, to: end.to, text: "" });
  for (const [behind, values] of added) {
    const near = behind ?? first;
    const place = behind ? near.to : near.from;
    const gap = near.blanks === "" ? " " : near.blanks;
    const put = values.map(
      ([name, value]) => name + layOut(value, indentAt(text, near.from), near.blanks.includes("\n")),
    );
    const pieces = put.map((one) => (behind ? `,${gap}${one}` : `${one},${gap}`));
    if (pieces.length > 0) all.push({ from: place, to: place, text: pieces.join("") });
  }
  return all;
}

/** The blanks at the beginning of the line that holds a place. */
function indentAt(text: string, place: number): string {
  const line = text.lastIndexOf("\n", place - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line, place))?.[0] ?? "";
}

/** A value as text, in one line or over several with an indent from the second one on. */
const layOut = (value: Value, indent: string, broken: boolean): string =>
  broken ? print(value).replaceAll("\n", `\n${indent}`) : print(value, 0);
