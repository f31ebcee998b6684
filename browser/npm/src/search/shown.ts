// Follows what a replica shows, and hands each context that is different to the search.

import type { ContextSummary, Level, PendingWrite, Replica } from "../../index.js";

/** The most insights, and the most notes on progress, that the core searches of a context. */
const NOTES = 100;

/** What takes contexts in. */
export interface Taker {
  put(context: string, seq: number, insights: string, progress: string): void;
  remove(level: Level, id: string): void;
}

/** A context as it was handed over. */
interface Mark extends Pick<ContextSummary, "level" | "id"> {
  /** Differs whenever the context does. */
  state: string;
  /** The ids of its newest insight and note. */
  notes: string;
}

export class Shown {
  readonly #replica: Replica;
  readonly #taker: Taker;
  readonly #marks = new Map<string, Mark>();
  readonly #ends: (() => void)[];
  #isBehind = true;
  /** The state of the server that was handed over. */
  #seq = 0;
  /** Commits after it that were announced. */
  readonly #announced = new Set<number>();
  /** Contexts to read again whatever they look like. */
  readonly #again = new Set<string>();
  /** Writes that were shown, and their contexts. */
  #writes = new Map<string, string>();

  constructor(replica: Replica, taker: Taker) {
    this.#replica = replica;
    this.#taker = taker;
    this.#ends = [
      replica.subscribe("all", () => void (this.#isBehind = true)),
      replica.on("change", ({ seq }) => void this.#announced.add(seq)),
      replica.on("entry", ({ seq, level, context_id }) => {
        this.#announced.add(seq);
        this.#again.add(`${level}/${context_id}`);
      }),
    ];
  }

  /** Hands over what is different, one context a step. */
  *update(): Generator<void, void> {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    const mayHoldNotes = this.#missedSome();
    this.#noteWrites();
    const again = new Set(this.#again);
    this.#again.clear();
    const gone = new Map(this.#marks);
    for (const context of this.#replica.list().items) {
      const name = nameOf(context);
      gone.delete(name);
      const mark = this.#marks.get(name);
      const isSame =
        mark?.state === stateOf(context) && !again.has(name) && !(mayHoldNotes && mark.notes !== this.#newest(context));
      if (isSame) continue;
      this.#put(context);
      yield;
    }
    for (const [name, { level, id }] of gone) {
      this.#taker.remove(level, id);
      this.#marks.delete(name);
    }
  }

  /** The state of a context that was handed over: it differs whenever what is searched does. `undefined`
   * while the server does not have all of it, for it may hold a secret that is not sealed yet. */
  sentState(name: string): string | undefined {
    const mark = this.#marks.get(name);
    if (!mark || [...this.#writes.values()].includes(name)) return undefined;
    return `${VERSION} ${mark.state} ${mark.notes}`;
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#marks.clear();
    this.#writes.clear();
  }

  #put(context: ContextSummary): void {
    const { level, id } = context;
    const [insights, progress] = [
      this.#replica.insights(level, id, { limit: NOTES }).items,
      this.#replica.progress(level, id, { limit: NOTES }).items,
    ];
    const seq = this.#replica.history(level, id, { limit: 1 }).items[0]?.seq ?? 0;
    const text = this.#replica.getText(level, id);
    this.#taker.put(text, seq, JSON.stringify(insights), JSON.stringify(progress));
    const notes = `${insights[0]?.id} ${progress[0]?.id}`;
    this.#marks.set(nameOf(context), { level, id, state: stateOf(context), notes });
  }

  #newest({ level, id }: ContextSummary): string {
    const [insight] = this.#replica.insights(level, id, { limit: 1 }).items;
    const [note] = this.#replica.progress(level, id, { limit: 1 }).items;
    return `${insight?.id} ${note?.id}`;
  }

  /** Whether the server's state went on without saying how, as when the copy was fetched anew. Then
   * there may be notes that no event told of. */
  #missedSome(): boolean {
    const { seq } = this.#replica.status;
    let known = seq >= this.#seq;
    for (let at = this.#seq + 1; known && at <= seq; at++) known = this.#announced.has(at);
    for (const at of this.#announced) if (at <= seq) this.#announced.delete(at);
    this.#seq = seq;
    return !known;
  }

  /** Writes that came or went leave notes that no event tells of. */
  #noteWrites(): void {
    const isShown = ({ state }: PendingWrite): boolean => state !== "refused";
    const shown = this.#replica.pending().filter(isShown);
    const writes = new Map(shown.map((write) => [write.key, nameOf(write)]));
    for (const [key, name] of writes) if (!this.#writes.has(key)) this.#again.add(name);
    for (const [key, name] of this.#writes) if (!writes.has(key)) this.#again.add(name);
    this.#writes = writes;
  }
}

const nameOf = ({ level, id }: { level: Level; id: string }): string => `${level}/${id}`;

/** Every change gives a context another version, or another time. */
const stateOf = ({ version, parent, created_at, updated_at, updated_by }: ContextSummary): string =>
  JSON.stringify([version, parent, created_at, updated_at, updated_by]);
