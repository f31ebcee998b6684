// The queue: writes are decided by the core, shown at once, and kept until the server has them.

import type { Conflict, JsonText, Level, Operation, PendingWrite, Written } from "../index.js";
import { asName, asText, wrong } from "./arguments.ts";
import { Core, type Entry, bytes, call, json, text, unpackReply, written } from "./core.ts";
import { NacreError, refused } from "./error.ts";
import { newKey } from "./key.ts";
import type { LocalCopy } from "./parts.ts";
import type { Reads } from "./reads.ts";

/** How many writes one batch may hold. */
const MOST = 100;
/** How many bytes of an import go into one batch: with all that is added, a request can carry them. */
const IMPORTED = 3 << 20;

export class Queue {
  readonly #copy: LocalCopy;
  readonly #reads: Reads;

  constructor(copy: LocalCopy, reads: Reads) {
    this.#copy = copy;
    this.#reads = reads;
  }

  /** Decides and keeps one write. Its errors do not say which of a batch they are about. */
  async write(operation: Operation): Promise<Written> {
    const [result] = await this.#enqueue(written([operation])).catch(withoutPlace);
    if (!result) throw new NacreError("internal", "the core has given no result");
    return result;
  }

  async batch(operations: Operation[]): Promise<Written[]> {
    if (!Array.isArray(operations)) throw wrong("operations", "an array", operations);
    if (operations.length > MOST) {
      const detail = `a batch must hold at most ${MOST} operations`;
      throw refused("too-many-operations", 413, detail, { limit: MOST });
    }
    return this.#enqueue(written(operations));
  }

  async import(source: string, mode: unknown): Promise<{ created: number; replaced: number }> {
    if (mode !== "create" && mode !== "replace") throw wrong("mode", '"create" or "replace"', mode);
    const operations: Operation[] = JSON.parse(call(() => Core.import(asText(source, "text"), mode === "replace")));
    const counts = { created: 0, replaced: 0 };
    let at = 0;
    for (const part of partsOf(operations)) {
      // What an earlier part has made is there by now.
      const there = part.filter(({ level, context_id }) => this.#reads.has(level, context_id)).length;
      await this.batch(part).catch((error: unknown) => {
        const problem = error instanceof NacreError ? error.problem : undefined;
        if (problem?.failed_operation !== undefined) problem.failed_operation += at;
        throw error;
      });
      counts.replaced += there;
      counts.created += part.length - there;
      at += part.length;
    }
    return counts;
  }

  pending(): PendingWrite[] {
    return JSON.parse(this.#copy.open().pending());
  }

  conflictsText(): JsonText {
    return call(() => this.#copy.open().conflicts());
  }

  async settle(conflict: Conflict | string, choice: unknown): Promise<void> {
    const id = asName(conflict, "conflict", "id");
    const chosen = written(choice, "choice");
    return this.#copy.turn(async () => {
      const core = this.#copy.open();
      const [operations, entries] = unpackReply(call(() => core.settle(id, chosen)));
      const asked = text(operations);
      if (asked === "[]") await this.#copy.commit({ entries });
      else await this.#keep(asked, entries).catch(withoutPlace);
    });
  }

  /** `asked`: the operations as text, as they were when the caller handed them over. */
  #enqueue(asked: string): Promise<Written[]> {
    // In a turn of its own, so that it is decided upon all earlier writes.
    return this.#copy.turn(() => this.#keep(asked, []));
  }

  /** Decides operations, and keeps them with some entries beside them. */
  async #keep(asked: string, entries: Entry[]): Promise<Written[]> {
    const core = this.#copy.open();
    const key = newKey();
    const [reply, writes] = unpackReply(call(() => core.write(asked, key, Date.now())));
    await this.#copy.commit({
      entries,
      queue: writes.map(([, write]) => write).filter((write) => write !== undefined),
    });
    const operations: { level: Level; context_id: string }[] = JSON.parse(asked);
    const { results } = json<{ results: { version?: number }[] }>(reply);
    return operations.map(({ level, context_id }, at) => {
      const version = results[at]?.version;
      return {
        level,
        id: context_id,
        ...(version === undefined ? {} : { version }),
        key: at === 0 ? key : `${key}.${at}`,
      };
    });
  }
}

/** The error of a lone write, which has no place in a batch. */
function withoutPlace(error: unknown): never {
  if (error instanceof NacreError && error.problem) delete error.problem.failed_operation;
  throw error;
}

/** The operations of an import in parts that fit into a batch. */
function* partsOf(operations: Operation[]): Generator<Operation[]> {
  for (let [at, end] = [0, 0]; at < operations.length; at = end) {
    for (let length = 0; end < operations.length && end - at < MOST; end++) {
      length += bytes(JSON.stringify(operations[end])).length;
      if (end > at && length > IMPORTED) break;
    }
    yield operations.slice(at, end);
  }
}
