// Loads the core, calls it, and converts the values that cross over.

import load, { Core, type InitInput } from "@core";
import type { Problem } from "../index.js";
import { NacreError, invalid } from "./error.ts";
import type { Told } from "./parts.ts";

export { Core };

type Source = InitInput | Promise<InitInput>;

let loading: Promise<void> | undefined;
let fallback: () => Source = () => new URL("./nacre_bg.wasm", import.meta.url);

/** Sets where the module is when `init` is not told. */
export const withSource = (source: () => Source): void => void (fallback = source);

/** Loads the core, once. */
export function init(
  source?: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>,
): Promise<void> {
  loading ??= load(source ?? fallback()).then(
    () => {},
    (cause: unknown) => {
      loading = undefined; // the next call tries again
      throw new NacreError("unavailable", "the core cannot load: `source` must lead to nacre_bg.wasm", {
        cause,
      });
    },
  );
  return loading;
}

/** Calls the core, which throws the text of a problem. */
export function call<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    // The argument could not cross over: not a string, or an object that holds itself.
    if (thrown instanceof TypeError || thrown instanceof RangeError) throw invalid(thrown.message, thrown);
    if (typeof thrown !== "string") throw thrown;
    const problem: Problem = JSON.parse(thrown);
    throw new NacreError(problem.code, problem.detail, { problem });
  }
}

const JSON_KINDS = ["Array", "Boolean", "Null", "Number", "Object", "String", "Undefined"];

/** The JSON text of an argument. Values that JSON does not have are refused, not changed. */
export const written = (value: unknown, argument = "value"): string =>
  call(() => {
    const text: string | undefined = JSON.stringify(
      value,
      function (this: Record<string, unknown>, name, value: unknown) {
        const kind = Object.prototype.toString.call(value).slice(8, -1);
        const isLost = value === undefined ? Array.isArray(this) : !JSON_KINDS.includes(kind);
        const isNull = value === null && this[name] !== null; // an invalid date
        if (isLost || isNull || (kind === "Number" && !Number.isFinite(Number(value)))) {
          throw new TypeError(`the value of \`${name}\` is not JSON`);
        }
        return value;
      },
    );
    if (text === undefined) throw new TypeError(`\`${argument}\` is required`);
    return text;
  });

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export const text = (bytes: Uint8Array): string => decoder.decode(bytes);
export const bytes = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
/** Parses what the core wrote, which has the form that the caller asked for. */
export const json = <T>(bytes: Uint8Array): T => JSON.parse(decoder.decode(bytes));

/** A key of the core and its bytes; none where the key was removed. */
export type Entry = [key: string, value: Uint8Array | undefined];

const NONE = 0xffffffff;

/** The entries of packed bytes. */
export function unpack(packed: Uint8Array): Entry[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const entries: Entry[] = [];
  let at = 0;
  const take = (): Uint8Array | undefined => {
    const length = view.getUint32(at, true);
    at += 4;
    if (length === NONE) return undefined;
    at += length;
    // A copy: where a part of a buffer is stored or posted, all of the buffer goes along.
    return packed.slice(at - length, at);
  };
  while (at < packed.length) entries.push([decoder.decode(take()), take()]);
  return entries;
}

/** Packed bytes that begin with what the core replies, and what comes after it. */
export function unpackReply(packed: Uint8Array): [reply: Uint8Array, rest: Entry[]] {
  const [[, reply] = [], ...rest] = unpack(packed);
  return [reply ?? new Uint8Array(), rest];
}

/** Entries as packed bytes. */
export function pack(entries: readonly Entry[]): Uint8Array {
  const pieces = entries.flatMap(([key, value]) => [encoder.encode(key), value]);
  const length = pieces.reduce((sum, piece) => sum + 4 + (piece?.length ?? 0), 0);
  const packed = new Uint8Array(length);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece?.length ?? NONE, true);
    if (piece) packed.set(piece, at + 4);
    at += 4 + (piece?.length ?? 0);
  }
  return packed;
}

/** A step of the core: the entries to keep, whether they replace all others, and what to tell. */
export interface Step {
  anew: boolean;
  told: Told;
  entries: Entry[];
}

/** Reads a packed step. */
export function step(packed: Uint8Array): Step {
  const taken: Step = { anew: false, told: {}, entries: [] };
  for (const [key, value] of unpack(packed)) {
    if (key === "anew") taken.anew = true;
    else if (key === "conflicts" && value) taken.told.conflicts = json(value);
    else if (key === "told" && value) taken.told.writes = json(value);
    else taken.entries.push([key, value]);
  }
  return taken;
}
