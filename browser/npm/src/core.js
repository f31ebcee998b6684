// The core: loading it, calling it, and what crosses over.

import load, { Core } from "@core";
import { NacreError } from "./error.js";

export { Core };

let loading;
let fallback = () => new URL("./nacre_bg.wasm", import.meta.url);

/** Says where the module is, when nobody says otherwise. */
export const withSource = (source) => void (fallback = source);

/** Loads the core, once. `source` is anything that `init` of the declarations takes. */
export function init(source) {
  loading ??= load({ module_or_path: source ?? fallback() }).then(
    () => {},
    (cause) => {
      loading = undefined; // asked again, it is tried again
      throw new NacreError("unavailable", "the core could not be loaded", { cause });
    },
  );
  return loading;
}

/** Calls the core; what it throws is the text of a problem. */
export function call(act) {
  try {
    return act();
  } catch (thrown) {
    // What cannot be handed over, like a text that is none or an object in a circle.
    if (thrown instanceof TypeError || thrown instanceof RangeError) throw invalid(thrown.message, thrown);
    if (typeof thrown !== "string") throw thrown;
    const problem = JSON.parse(thrown);
    throw new NacreError(problem.code, problem.detail, { problem });
  }
}

function invalid(detail, cause) {
  const problem = { code: "invalid-request", status: 400, detail };
  return new NacreError(problem.code, detail, { problem, cause });
}

/** A text as it is: the core reads past the end of what is none. */
export function asText(value) {
  if (typeof value !== "string") throw invalid("a text is expected here");
  return value;
}

const JSON_KINDS = ["Array", "Boolean", "Null", "Number", "Object", "String", "Undefined"];

/** The text of what a caller hands over; what JSON cannot say is refused rather than changed. */
export const written = (value) =>
  call(() => {
    const text = JSON.stringify(value, function (name, value) {
      const kind = Object.prototype.toString.call(value).slice(8, -1);
      const isLost = value === undefined ? Array.isArray(this) : !JSON_KINDS.includes(kind);
      const isNull = value === null && this[name] !== null; // an invalid date
      if (isLost || isNull || (kind === "Number" && !Number.isFinite(Number(value)))) {
        throw new TypeError(`no JSON can say what stands at \`${name}\``);
      }
      return value;
    });
    if (text === undefined) throw new TypeError("a value is missing");
    return text;
  });

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export const text = (bytes) => decoder.decode(bytes);
export const bytes = (text) => encoder.encode(text);
export const json = (bytes) => JSON.parse(decoder.decode(bytes));

const NONE = 0xffffffff;

/** Entries of one piece of bytes: `[key, bytes or undefined]`. */
export function unpack(packed) {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const entries = [];
  let at = 0;
  const take = () => {
    const length = view.getUint32(at, true);
    at += 4;
    if (length === NONE) return undefined;
    at += length;
    // A copy: where a part of a buffer is kept or told, all of the buffer goes along.
    return packed.slice(at - length, at);
  };
  while (at < packed.length) entries.push([decoder.decode(take()), take()]);
  return entries;
}

/** One piece of bytes from entries. */
export function pack(entries) {
  const pieces = entries.map(([key, value]) => [encoder.encode(key), value]);
  const length = pieces.reduce((sum, [key, value]) => sum + 8 + key.length + (value?.length ?? 0), 0);
  const packed = new Uint8Array(length);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const piece of pieces.flat()) {
    view.setUint32(at, piece?.length ?? NONE, true);
    if (piece) packed.set(piece, at + 4);
    at += 4 + (piece?.length ?? 0);
  }
  return packed;
}

/** A step of the core: what to keep, and what it says beside. */
export function step(packed) {
  const taken = { anew: false, conflicts: [], entries: [] };
  for (const [key, value] of unpack(packed)) {
    if (key === "anew") taken.anew = true;
    else if (key === "conflicts") taken.conflicts = json(value);
    else taken.entries.push([key, value]);
  }
  return taken;
}
