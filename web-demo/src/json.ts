// JSON for people: values to text and back without rounding integers, the place of a mistake,
// pointers (RFC 6901), and the smallest edit between two documents.

import { visibleJson } from "./characters";

export type Value = null | boolean | number | bigint | string | Value[] | { [name: string]: Value };
export type Members = { [name: string]: Value };

/** One step of a JSON Patch (RFC 6902). */
export interface Step {
  op: "add" | "remove" | "replace";
  path: string;
  value?: Value;
}

type Source = { source: string };
const raw = (JSON as unknown as { rawJSON?: (text: string) => Value }).rawJSON;

/**
 * Reads text. Integers beyond 2^53 become `bigint`, so that nothing is rounded.
 *
 * @throws {SyntaxError} if the text is not JSON
 */
export function parse(text: string): Value {
  const exact = (_: string, value: Value, context?: Source): Value => {
    if (typeof value !== "number" || Number.isSafeInteger(value) || !context) return value;
    return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(text, exact as (name: string, value: Value) => Value) as Value;
}

/** Writes a value for people, indented by two spaces. Characters that cannot be seen are escapes. */
export const print = (value: unknown, indent = 2): string => visibleJson(write(value, indent));

/** A value in the form that the replica takes, with every digit. */
export const text = (value: unknown): string => write(value, 0);

function write(value: unknown, indent: number): string {
  if (value === undefined) return "";
  const exact = (_: string, value: unknown): unknown =>
    typeof value === "bigint" && raw ? raw(value.toString()) : value;
  return JSON.stringify(value, exact, indent);
}

/** Whether a value may have lost digits, because the browser reads all numbers as doubles. */
export function isRounded(value: Value | undefined): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.some(isRounded);
  return isObject(value) && Object.values(value).some(isRounded);
}

/** A value in one short line. */
export function glance(value: Value | undefined, longest = 160): string {
  const text = value === undefined ? "" : print(value, 0);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** What is shown beside a difference, in characters. */
const AROUND = 24;

/** Two values in one short line each, cut to where they differ. */
export function glances(before: Value | undefined, after: Value | undefined, longest = 160): [string, string] {
  const [old, now] = [glance(before, Infinity), glance(after, Infinity)];
  if (before === undefined || after === undefined || Math.max(old.length, now.length) <= longest / 2) {
    return [glance(before, longest), glance(after, longest)];
  }
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const from = head > 2 * AROUND ? head - AROUND : 0;
  const behind = tail > 2 * AROUND ? tail - AROUND : 0;
  const cut = (text: string): string => {
    const part = (from > 0 ? "…" : "") + text.slice(from, text.length - behind);
    if (part.length > longest) return `${part.slice(0, longest - 1)}…`;
    return behind > 0 ? `${part}…` : part;
  };
  return [cut(old), cut(now)];
}

/** The place of a mistake in JSON text. */
export interface Mistake {
  message: string;
  /** Both count from 1. */
  line: number;
  column: number;
}

/** The object in a text, or its mistake. */
export type Reading = { value: Members; wrong?: undefined } | { value?: undefined; wrong: Mistake };

export function read(text: string): Reading {
  try {
    const value = parse(text);
    if (isObject(value)) return { value };
    return { wrong: { message: "A layer is an object: begin with { and end with }.", line: 1, column: 1 } };
  } catch (error) {
    return { wrong: mistake(text, error) };
  }
}

/** The place of the mistake in a text that cannot be read; `error` is the engine's error. */
export function mistake(text: string, error: unknown): Mistake {
  const found = stray(text);
  if (!found) return { message: error instanceof Error ? error.message : String(error), line: 1, column: 1 };
  const before = text.slice(0, found.at).split("\n");
  return { message: found.message, line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

/** One token: a string, another scalar or a sign, with the blanks before it. */
const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string
  /[ \t\n\r]*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([{}[\],:]))/y;
/** The allowed next tokens: one letter or sign per kind, and the same in words. */
const VALUE = "sv{[";
const EXPECTED: Record<string, string> = {
  [VALUE]: "a value",
  [`${VALUE}]`]: "a value or ]",
  s: "a name in quotes",
  "s}": "a name in quotes, or }",
  ":": "a colon",
  ",}": "a comma or }",
  ",]": "a comma or ]",
  "": "nothing more",
};

/** Finds where a text stops being JSON. Not every engine reports the place, and none for every mistake. */
function stray(text: string): { message: string; at: number } | undefined {
  const open: ("}" | "]")[] = [];
  let wanted = VALUE;
  for (let end = 0; ; end = TOKEN.lastIndex) {
    const at = end + text.slice(end).search(/[^ \t\n\r]|$/);
    if (at === text.length) {
      return wanted === "" ? undefined : { message: `It ends too early: expected ${EXPECTED[wanted]}`, at };
    }
    TOKEN.lastIndex = end;
    const [, string, scalar, sign] = TOKEN.exec(text) ?? [];
    const kind = string !== undefined ? "s" : scalar !== undefined ? "v" : sign;
    if (kind === undefined || !wanted.includes(kind)) {
      const unclosed = kind === undefined && text[at] === '"' && wanted.includes("s");
      const message = unclosed ? "Text that is not closed, or has a stray \\ in it" : `Expected ${EXPECTED[wanted]}`;
      return { message, at };
    }
    if (kind === "s" && !wanted.includes("v")) wanted = ":";
    else if (kind === ":") wanted = VALUE;
    else if (kind === ",") wanted = open.at(-1) === "}" ? "s" : VALUE;
    else if (kind === "{") open.push("}"), (wanted = "s}");
    else if (kind === "[") open.push("]"), (wanted = `${VALUE}]`);
    else {
      if (kind === "}" || kind === "]") open.pop();
      wanted = open.length === 0 ? "" : `,${open.at(-1)}`;
    }
  }
}

export function isObject(value: Value | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is the marker of a sealed value. */
export function isSealed(value: Value | undefined): boolean {
  return isObject(value) && "$sealed" in value;
}

export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
  );
}

export const escapeName = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const unescapeName = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");

/** The names in a pointer. */
export const names = (pointer: string): string[] => pointer.split("/").slice(1).map(unescapeName);

/** The value at a pointer. */
export function at(value: Value | undefined, pointer: string): Value | undefined {
  let found = value;
  for (const name of names(pointer)) {
    if (Array.isArray(found)) found = /^\d+$/.test(name) ? found[Number(name)] : undefined;
    else found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

/** The steps that turn `a` into `b`: members one by one, arrays as a whole. */
export function steps(a: Members, b: Members, under = ""): Step[] {
  const all: Step[] = [];
  for (const name of Object.keys(a)) {
    if (!Object.hasOwn(b, name)) all.push({ op: "remove", path: `${under}/${escapeName(name)}` });
  }
  for (const [name, value] of Object.entries(b)) {
    const path = `${under}/${escapeName(name)}`;
    const before = a[name];
    if (!Object.hasOwn(a, name)) all.push({ op: "add", path, value });
    else if (isObject(before) && isObject(value)) all.push(...steps(before, value, path));
    else if (!equal(before, value)) all.push({ op: "replace", path, value });
  }
  return all;
}
