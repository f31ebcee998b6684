// Arguments of callers: an error names the argument that is wrong, and what is allowed. The core
// checks values; here is what would not reach it, or would reach it as something else.

import type { Address, OpenOptions, ReplicaEvents, Topic } from "../index.js";
import { type NacreError, invalid } from "./error.ts";

/** Members that may be there, and their type where another one would be taken for something else. */
export type Members = { readonly [name: string]: string };

const LEVELS = ["global", "project", "branch", "task"];
const TOPICS: Members = { context: "object", subtree: "object", resolved: "object" };
const EVENTS: { [E in keyof ReplicaEvents]: true } = {
  status: true,
  change: true,
  conflict: true,
  write: true,
  entry: true,
  error: true,
  close: true,
};
const OPTIONS: { [name in keyof OpenOptions]-?: string } = {
  url: "",
  token: "",
  under: "",
  online: "boolean",
  storage: "",
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The error for an argument. It never quotes the value, which may be a secret. */
export function wrong(name: string, allowed: string, value: unknown): NacreError {
  const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return invalid(`\`${name}\` must be ${allowed}${kind === "string" ? "" : `, not ${kind}`}`);
}

const oneOf = (names: Iterable<string>): string => `one of ${[...names].join(", ")}`;

/** A string, checked: the core would read past the end of anything else. */
export function asText(value: unknown, name: string): string {
  if (typeof value !== "string") throw wrong(name, "a string", value);
  return value;
}

/** What names something: a string, or the member of an object that holds it. */
export const asName = (value: unknown, name: string, member: string): string =>
  asText(isObject(value) ? value[member] : value, `${name}.${member}`);

export function asLevel(value: unknown, name = "level"): string {
  if (!LEVELS.includes(value as string)) throw wrong(name, oneOf(LEVELS), value);
  return value as string;
}

export function asAddress(value: unknown, name: string): Address {
  if (!isObject(value)) throw wrong(name, "an object with `level` and `id`", value);
  asLevel(value["level"], `${name}.level`);
  asText(value["id"], `${name}.id`);
  return value as unknown as Address;
}

/** An object with some of these members, and no others. */
export function asObject(value: unknown, members: Members, name = "options"): Record<string, unknown> {
  if (!isObject(value)) throw wrong(name, `an object with any of ${Object.keys(members).join(", ")}`, value);
  for (const [member, held] of Object.entries(value)) {
    const type = members[member];
    if (type === undefined)
      throw invalid(`\`${name}\` must not have \`${member}\`, only ${oneOf(Object.keys(members))}`);
    if (type && held !== undefined && typeof held !== type) throw wrong(member, `of type ${type}`, held);
  }
  return value;
}

export function asListener(value: unknown): void {
  if (typeof value !== "function") throw wrong("listener", "a function", value);
}

export function asEvent(value: unknown): void {
  if (!Object.hasOwn(EVENTS, value as string)) throw wrong("event", oneOf(Object.keys(EVENTS)), value);
}

/** The address of a topic, and the member that it stands under; `undefined` for all. */
export function asTopic(topic: Topic): [kind: string, address: Address] | undefined {
  if (topic === "all") return undefined;
  const [[kind, address] = [], ...more] = isObject(topic) ? Object.entries(topic) : [];
  if (kind === undefined || !Object.hasOwn(TOPICS, kind) || more.length > 0) {
    throw wrong("topic", `"all", or an object with ${oneOf(Object.keys(TOPICS))}`, topic);
  }
  return [kind, asAddress(address, `topic.${kind}`)];
}

/** The options of `open`, and the server's address. */
export function asOptions(options: OpenOptions): URL {
  const { url, token, under, storage } = asObject(options, OPTIONS);
  const address = asURL(url);
  if (!address?.protocol.startsWith("http")) throw wrong("url", "an address that begins with http:// or https://", url);
  if (typeof token !== "string" && typeof token !== "function") {
    throw wrong("token", "a string, or a function that gives one", token);
  }
  if (under !== undefined && under !== null) asAddress(under, "under");
  if (![undefined, "indexeddb", "memory"].includes(storage as string | undefined)) {
    throw wrong("storage", 'one of "indexeddb", "memory"', storage);
  }
  return address;
}

function asURL(url: unknown): URL | undefined {
  try {
    return new URL(url as string);
  } catch {
    return undefined;
  }
}
