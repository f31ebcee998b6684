// What a replica holds of a store: all of it, or one context with what is below and above it.

import type { Address, Level } from "../index.js";
import { hasCode } from "./error.ts";
import type { Reads } from "./reads.ts";

/** A topic that the server takes a subscription to. */
export type ServerTopic = { subtree: Address } | { context: Address };

/** What of a change says where its context is. */
export interface Placed {
  level: Level;
  context_id: string;
  action: string;
  parent?: string | null;
}

/** The context above all others. */
export const GLOBAL: Address = { level: "global", id: "global" };

export class Scope {
  readonly under: Address | null;
  readonly #reads: Reads;

  constructor(under: Address | null, reads: Reads) {
    this.under = under;
    this.#reads = reads;
  }

  /** Topics that cover all that is held: what is below, and each context above. */
  topics(): ServerTopic[] {
    const { under } = this;
    if (!under || under.level === "global") return [{ subtree: GLOBAL }];
    const topics: ServerTopic[] = [{ subtree: under }, { context: GLOBAL }];
    if (this.#reads.has(under.level, under.id)) {
      for (const { level, id } of this.#reads.resolve(under.level, under.id).chain) {
        if (level !== "global" && level !== under.level) topics.push({ context: { level, id } });
      }
    }
    return topics;
  }

  /** Whether the ancestors of `under` are all here; true as well while `under` itself is not. */
  isWhole(): boolean {
    try {
      if (this.under) this.#reads.resolveBytes(this.under.level, this.under.id);
    } catch (error) {
      return !hasCode(error, "internal"); // a parent is missing
    }
    return true;
  }

  /** Whether a change may take a context into the scope or out of it. */
  isMoved({ level, context_id, action, parent }: Placed): boolean {
    if (!this.under) return false;
    if (action === "move") return true;
    if (parent === undefined || !this.#reads.has(level, context_id)) return false;
    return this.#reads.get(level, context_id).parent !== parent;
  }
}
