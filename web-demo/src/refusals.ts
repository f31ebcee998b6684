// Writes that the server refused: what they wanted to change, and how one is replaced.

import type { JsonText, Operation, PendingWrite, Replica } from "@nacre/context";

import { type Members, type Step, type Value, at, escapeName, isObject, parse } from "./json";
import { refusedOf } from "./reading";

/** Discards a refused write after what it wanted was written anew. It may be gone already: another
 * tab shows it too. */
export async function discardRefused(replica: Replica, key: string): Promise<void> {
  const old = refusedOf(replica.pending()).find((write) => write.key === key);
  if (old) await replica.discard(old);
}

/** A place of a layer, and what a write wanted there. */
export interface Wish {
  pointer: string;
  /** A list takes an item `add`ed between the others; everything else is `set` by it. */
  how: "set" | "add" | "remove" | "hide" | "append";
  value?: Value;
}

/** What a write wanted to change in the data of its layer. */
export function wishesOf(operation: Operation | undefined): Wish[] {
  const { action, data, patch, pointer = "", values, pointers = [] } = operation ?? ({} as Partial<Operation>);
  if ((action === "create" || action === "put") && data !== undefined) {
    return [{ pointer: "", how: "set", value: asValue(data) }];
  }
  if (action === "append" && values !== undefined) return [{ pointer, how: "append", value: asValue(values) }];
  if (action === "unset") return pointers.map((pointer): Wish => ({ pointer, how: "hide" }));
  if (action !== "update" || patch === undefined) return [];
  const edit = asValue(patch);
  if (!Array.isArray(edit)) return isObject(edit) ? merged(edit, "") : [];
  return (edit as unknown as Step[]).flatMap(({ op, path, value }): Wish[] => {
    if (op === "remove") return [{ pointer: path, how: "remove" }];
    return value === undefined ? [] : [{ pointer: path, how: op === "add" ? "add" : "set", value }];
  });
}

/** The places that a merge patch (RFC 7396) changes. */
function merged(patch: Members, under: string): Wish[] {
  return Object.entries(patch).flatMap(([name, value]): Wish[] => {
    const pointer = `${under}/${escapeName(name)}`;
    if (value === null) return [{ pointer, how: "remove" }];
    if (isObject(value) && Object.keys(value).length > 0) return merged(value, pointer);
    return [{ pointer, how: "set", value }];
  });
}

/** A part of an operation, which may be text. */
export const asValue = (part: unknown): Value => (typeof part === "string" ? parse(part as JsonText) : (part as Value));

/** The values of a view that writes wanted to change; for one that is not there, what it would be in. */
export function valuesOf(writes: readonly PendingWrite[], view: Value): string[] {
  return writes.flatMap(({ operation }) =>
    wishesOf(operation).map(({ pointer }) => {
      let place = pointer;
      while (place !== "" && at(view, place) === undefined) place = place.slice(0, place.lastIndexOf("/"));
      return place;
    }),
  );
}
