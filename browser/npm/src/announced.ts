// Changes that the server announced: told once each, and whether they were written here.

import type { ChangeEvent } from "../index.js";
import type { Announced } from "./connection.ts";

/** A version of one context. */
interface Version {
  level: string;
  id: string;
  version?: number;
}

export class Announcements {
  /** Versions that were written here, until they are announced. */
  readonly #own = new Set<string>();
  /** Texts of changes whose commit may not be all here, and its seq. They come again when the
   * connection breaks. */
  readonly #early = new Map<string, number>();

  /** Notes what the server made of writes from here. */
  landed(results: readonly Version[]): void {
    for (const { level, id, version } of results) this.#own.add(`${level}/${id}@${version}`);
  }

  /** The copy is fetched anew: what has landed is in it, and is not announced again. */
  fetched(): void {
    this.#own.clear();
  }

  /** The changes to tell of, those that were told before left out. `seq` is the copy's. */
  tell(announced: readonly Announced[], seq: number): ChangeEvent[] {
    const fresh = announced.filter(({ text }) => !this.#early.has(text));
    for (const { message, text } of fresh) this.#early.set(text, message.seq);
    for (const [text, at] of this.#early) if (at <= seq) this.#early.delete(text);
    return fresh.map(({ message }) => {
      const { seq, level, context_id, version, by, action, at, patch } = message;
      const mine = this.#own.delete(`${level}/${context_id}@${version}`);
      return { seq, level, context_id, version, by, action, at, patch, mine };
    });
  }
}
