// A resolved document as rows, one per value, each with its layer.

import type { Origin } from "@nacre/context";

import { LEVELS, type Level } from "./address";
import { type Value, escapeName, glance, isObject, isSealed } from "./json";
import type { Row } from "./tree";

/** One value of the document; its `key` is its pointer. */
export interface ValueRow extends Row {
  name: string;
  value: Value;
  /** The number of its parts; `undefined` for a scalar. */
  size: number | undefined;
  /** Its origin; a container that several layers made has none. */
  origin: Origin | undefined;
  /** The layers that contribute to it. */
  levels: readonly Level[];
  position: number;
  siblings: number;
  parts: ValueRow[];
}

/** Most rows that are open at first. */
const OPENED = 240;

/** Every value, as a tree of rows. */
export function rowsOf(data: Value, origins: Readonly<Record<string, Origin>>): ValueRow[] {
  const walk = (value: Value, pointer: string, depth: number, above: Origin | undefined): ValueRow[] => {
    const members: [string, Value][] = Array.isArray(value)
      ? value.map((item, index) => [String(index), item])
      : isObject(value) && !isSealed(value)
        ? Object.entries(value)
        : [];
    return members.map(([name, value], index) => {
      const key = `${pointer}/${escapeName(name)}`;
      const origin = origins[key] ?? above;
      const parts = walk(value, key, depth + 1, origin);
      const size = Array.isArray(value) || isObject(value) ? parts.length : undefined;
      const held = new Set(parts.flatMap(({ levels }) => levels));
      if (origin && parts.length === 0) held.add(origin.level);
      const levels = LEVELS.filter((level) => held.has(level));
      return { key, name, value, depth, size, origin, levels, parts, position: index + 1, siblings: members.length };
    });
  };
  return walk(data, "", 0, undefined);
}

/** The rows that are open at first: whole depths, as long as they fit. */
export function openAtFirst(rows: readonly ValueRow[]): ReadonlySet<string> {
  const open = new Set<string>();
  let shown = rows.length;
  let level = [...rows];
  while (level.length > 0) {
    const parents = level.filter(({ parts }) => parts.length > 0);
    const next = parents.flatMap(({ parts }) => parts);
    if (shown + next.length > OPENED) break;
    for (const { key } of parents) open.add(key);
    shown += next.length;
    level = next;
  }
  return open;
}

/** The visible rows, in order. `filter` selects by name and value, and opens the rows that lead there. */
export function shownRows(rows: readonly ValueRow[], isOpen: (key: string) => boolean, filter: string): ValueRow[] {
  const wanted = filter.trim().toLowerCase();
  const shown: ValueRow[] = [];
  const visit = (row: ValueRow, within: boolean): boolean => {
    const hit = within || matches(row, wanted);
    const place = shown.length;
    const open = row.parts.length > 0 && (wanted !== "" && !hit ? true : isOpen(row.key));
    shown.push({ ...row, open: row.parts.length > 0 ? open : undefined });
    let inside = false;
    if (open) for (const part of row.parts) inside = visit(part, hit) || inside;
    if (hit || inside) return true;
    shown.length = place;
    return false;
  };
  for (const row of rows) visit(row, wanted === "");
  return shown;
}

function matches(row: ValueRow, wanted: string): boolean {
  if (row.key.toLowerCase().includes(wanted)) return true;
  return row.size === undefined && glance(row.value, 2000).toLowerCase().includes(wanted);
}

/** The pointers whose values differ between two states of a document. */
export function changed(before: readonly ValueRow[], after: readonly ValueRow[]): Set<string> {
  const leaves = (rows: readonly ValueRow[], into: Map<string, string>): Map<string, string> => {
    for (const row of rows) {
      into.set(row.key, row.size === undefined ? glance(row.value, Infinity) : row.size === 0 ? "empty" : "");
      leaves(row.parts, into);
    }
    return into;
  };
  const old = leaves(before, new Map());
  const found = new Set<string>();
  for (const [key, text] of leaves(after, new Map())) if (old.get(key) !== text) found.add(key);
  return found;
}
