// Listeners: who is told of what, and when.

import type { ReplicaEvents, Topic, TopicEvent } from "../index.js";
import type { Observed, Told } from "./parts.ts";

type Listener = (detail: never) => void;

interface Subscription {
  topic: Topic;
  listener: (event: TopicEvent) => void;
  stamp: unknown;
}

export class Events {
  readonly #observed: Observed;
  readonly #listeners = new Map<keyof ReplicaEvents, Set<{ listener: Listener }>>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #watchers = new Set<() => void>();
  #isTelling = false;
  /** The status that was told last, as text. */
  #told = "";

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  subscribe(topic: Topic, listener: (event: TopicEvent) => void): () => void {
    const subscription = { topic, listener, stamp: this.#observed.stamp(topic) };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  on<E extends keyof ReplicaEvents>(event: E, listener: (detail: ReplicaEvents[E]) => void): () => void {
    const entries = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, entries);
    const entry = { listener };
    entries.add(entry);
    return () => void entries.delete(entry);
  }

  emit<E extends keyof ReplicaEvents>(event: E, detail: ReplicaEvents[E]): void {
    const entries = this.#listeners.get(event);
    // One that was ended by another is not called any more.
    for (const entry of [...(entries ?? [])]) if (entries?.has(entry)) tell(entry.listener, detail as never);
  }

  /** Emits all that is told. */
  emitAll({ conflicts = [], writes = [], changes = [], entries = [] }: Told): void {
    for (const conflict of conflicts) this.emit("conflict", conflict);
    for (const write of writes) this.emit("write", write);
    for (const change of changes) this.emit("change", change);
    for (const entry of entries) this.emit("entry", entry);
  }

  /** Tells listeners that something may have changed, once this turn of the event loop is over. */
  changed(): void {
    if (this.#isTelling || this.#observed.isClosed) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (this.#observed.isClosed) return;
      this.#tellTopics();
      // A listener may have closed the replica.
      if (this.#observed.isClosed) return;
      const { status } = this.#observed;
      const told = JSON.stringify([status, status.error?.message]);
      if (told !== this.#told) {
        this.#told = told;
        this.emit("status", status);
      }
      this.#watch();
    });
  }

  /** The replica is closed. */
  closed(): void {
    this.emit("close", undefined);
    this.#watch();
  }

  /** Looks at something whenever it may have changed, until `settled` says that it is. */
  until(settled: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          signal?.throwIfAborted();
          if (!settled()) return;
          resolve();
        } catch (error) {
          reject(error);
        }
        this.#watchers.delete(look);
        signal?.removeEventListener("abort", look);
      };
      this.#watchers.add(look);
      signal?.addEventListener("abort", look);
      look();
    });
  }

  #watch(): void {
    for (const look of this.#watchers) look();
  }

  #tellTopics(): void {
    for (const subscription of [...this.#subscriptions]) {
      if (this.#observed.isClosed) return; // by a listener
      const { topic, listener } = subscription;
      const stamp = this.#observed.stamp(topic);
      if (stamp === subscription.stamp || !this.#subscriptions.has(subscription)) continue;
      subscription.stamp = stamp;
      const isView = typeof topic === "object" && "resolved" in topic && topic.resolved;
      const hash = isView ? { hash: (stamp as string) || null } : {};
      tell(listener, { topic, seq: this.#observed.seq, ...hash });
    }
  }
}

/** Calls a listener. What it throws is reported to the page, and stops nobody else. */
function tell<T>(listener: (detail: T) => void, detail: T): void {
  try {
    listener(detail);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
