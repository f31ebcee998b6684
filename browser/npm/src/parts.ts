// The four parts of a replica, and what each may ask of the others.
//
//   replica   the face: what a caller sees
//     ├─ reads    answers from the core, in memory
//     ├─ queue    decides writes and keeps them until the server has them
//     ├─ sync     follows the server, in the one tab that leads
//     ▼
//   copy      the core, what IndexedDB keeps of it, and the tabs that share it
//
// `events` tells listeners what has come of it.

import type { ChangeEvent, Conflict, EntryEvent, Status, Topic, WriteEvent } from "../index.js";
import type { Core } from "./core.ts";
import type { Commit } from "./storage.ts";
import type { TabMessage } from "./tabs.ts";

/** What listeners are told of, in every tab. */
export interface Told {
  conflicts?: Conflict[];
  writes?: WriteEvent[];
  changes?: ChangeEvent[];
  entries?: EntryEvent[];
}

/** The copy on this device. */
export interface LocalCopy {
  readonly isClosed: boolean;
  /** The core; throws `closed` when the copy is. */
  open(): Core;
  /** The core as it was last, closed or not. */
  readonly core: Core;
  /** Runs an act after those before it have ended. All that changes the copy takes such a turn. */
  turn<T>(act: () => T | Promise<T>): Promise<T>;
  /** Keeps entries that the core does not know yet, new writes, or entries of the script; then
   * hands them to the core and the other tabs. */
  commit(commit: Commit): Promise<void>;
  /** Keeps a packed step that the core has taken already, and tells what it says. For the leader. */
  commitStep(packed: Uint8Array): Promise<void>;
  /** Throws when another tab has claimed the lead since this one did. */
  checkLead(): Promise<void>;
  /** Reads all that is kept anew. */
  load(): Promise<unknown>;
  /** Tells the other tabs. */
  tell(message: TabMessage): void;
}

/** What the copy calls when something has happened to it. */
export interface CopyListener {
  /** It holds something else than before. */
  changed(): void;
  /** A commit of this tab or another was taken in. */
  committed(): void;
  failed(error: unknown): void;
  /** Another tab has said something, or a commit of this one. */
  heard(message: TabMessage): void;
  /** Whether this tab leads from now on. */
  leads(leads: boolean): void;
  closed(): void;
}

/** What listeners are told of. */
export interface Observed {
  readonly isClosed: boolean;
  readonly seq: number;
  readonly status: Status;
  /** A value that differs whenever what a topic covers has changed. */
  stamp(topic: Topic): unknown;
}
