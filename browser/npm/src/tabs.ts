// The other tabs with the same replica. One of them, the leader, talks to the server.

import type { ChangeEvent, Conflict, Problem, Status } from "../index.js";

/** What one tab tells the others. Tabs may run different versions of this package, so members are
 * only ever added. */
export interface TabMessage {
  /** A tab has opened, and wants to know how things stand. */
  hello?: boolean;
  /** The copy was erased from this device. */
  erased?: boolean;
  /** The switch was set. */
  online?: boolean;
  /** The leader's state, and its error if there is one. */
  state?: Status["state"];
  error?: { code: string; message: string; problem: Problem | undefined } | null;
  conflicts?: Conflict[];
  changes?: ChangeEvent[];
  /** A commit: its number, its entries, the writes it queued, and whether it replaced the copy. */
  revision?: number;
  packed?: Uint8Array;
  places?: Uint8Array;
  anew?: boolean;
}

export interface Tabs {
  tell(message: TabMessage): void;
  /** Leaves; the channel is closed once `last` has ended. */
  leave(last: Promise<unknown>): void;
}

/** Joins the tabs. `receive` gets their messages; `lead` is called once this tab leads. */
export function joinTabs(name: string, receive: (message: TabMessage) => void, lead: () => void): Tabs {
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : undefined;
  channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => receive(data));
  channel?.unref?.(); // otherwise Node waits for it
  const leaving = new AbortController();
  let release = (): void => {};
  // Not every host has locks, whatever the DOM's types say.
  const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  if (locks && channel) {
    // The lock may arrive after this tab has left.
    const held = (): Promise<void> | undefined =>
      leaving.signal.aborted ? undefined : new Promise((resolve) => ((release = resolve), lead()));
    locks.request(name, { signal: leaving.signal }, held).catch((error: unknown) => {
      if (!leaving.signal.aborted) throw error;
    });
  } else {
    queueMicrotask(() => leaving.signal.aborted || lead());
  }
  return {
    tell: (message) => channel?.postMessage(message),
    leave(last) {
      leaving.abort();
      release();
      last.then(() => channel?.close());
    },
  };
}
