// What the server announced: told once each, and whether it was written here.

import type { ChangeEvent, EntryEvent } from "../index.js";
import type { Announced } from "./connection.ts";

/** What the server made of a write: a version of a context, or an entry, which has only an id. */
interface Result {
  level?: string;
  id: string;
  version?: number;
}

const nameOf = ({ level, id, version }: Result): string => (level ? `${level}/${id}@${version}` : id);

export class Announcements {
  /** Names of what was written here, until it is announced. */
  readonly #own = new Set<string>();
  /** Texts of messages whose commit may not be all here, and its seq. They come again when the
   * connection breaks. */
  readonly #early = new Map<string, number>();

  /** Notes what the server made of writes from here. */
  landed(results: readonly Result[]): void {
    for (const result of results) this.#own.add(nameOf(result));
  }

  /** The copy is fetched anew: what has landed is in it, and is not announced again. */
  fetched(): void {
    this.#own.clear();
  }

  /** What to tell, without what was told before. `seq` is the copy's. */
  tell(announced: readonly Announced[], seq: number): { changes: ChangeEvent[]; entries: EntryEvent[] } {
    const fresh = announced.filter(({ text }) => !this.#early.has(text));
    for (const { message, text } of fresh) this.#early.set(text, message.seq);
    for (const [text, at] of this.#early) if (at <= seq) this.#early.delete(text);
    const told: { changes: ChangeEvent[]; entries: EntryEvent[] } = { changes: [], entries: [] };
    for (const { message } of fresh) {
      if (message.type === "entry") {
        const { seq, level, context_id, action, entry } = message;
        const kind = action === "add_insight" ? "insight" : "progress";
        told.entries.push({ seq, level, context_id, kind, entry, mine: this.#own.delete(entry.id) });
      } else {
        const { seq, level, context_id, version, by, action, at, patch } = message;
        const mine = this.#own.delete(nameOf({ level, id: context_id, version }));
        told.changes.push({ seq, level, context_id, version, by, action, at, patch, mine });
      }
    }
    return told;
  }
}
