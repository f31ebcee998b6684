// Names of contexts, and the address fragment that shows one: `#/task/cart-latency/history`.

import type { Address, Level } from "@nacre/context";

import { visible } from "./characters";

export type { Address, Level };

export const LEVELS = ["global", "project", "branch", "task"] as const satisfies Level[];
export const GLOBAL: Address = { level: "global", id: "global" };

export const key = ({ level, id }: Address): string => `${level}/${id}`;
export const same = (a: Address, b: Address): boolean => a.level === b.level && a.id === b.id;

/** The name in running text: `project shop`, or just `global`. */
export const name = ({ level, id }: Address): string => (level === "global" ? level : `${level} ${visible(id)}`);

/** The level one above or below; `undefined` past the ends. */
export const above = (level: Level): Level | undefined => LEVELS[LEVELS.indexOf(level) - 1];
export const below = (level: Level): Level | undefined => LEVELS[LEVELS.indexOf(level) + 1];

export const TABS = ["view", "layer", "history", "notes"] as const;
export type Tab = (typeof TABS)[number];

/** The context and the part of it that an address fragment names. */
export function fromFragment(fragment: string): { address: Address; tab: Tab } | undefined {
  const [, level, id, tab] = fragment.replace(/^#/, "").split("/");
  const known = LEVELS.find((one) => one === level);
  const plain = decoded(id ?? "");
  if (!known || !plain) return undefined;
  return { address: { level: known, id: plain }, tab: TABS.find((one) => one === tab) ?? "view" };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // the link was cut off inside an escape
  }
}

export function toFragment({ level, id }: Address, tab: Tab): string {
  return `#/${level}/${encodeURIComponent(id)}${tab === "view" ? "" : `/${tab}`}`;
}
