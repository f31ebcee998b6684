/**
 * `@nacre/context`: layered contexts, resolved in the browser, offline too.
 *
 * A replica holds a copy of one store with its history. Reads answer from it at once, by the very
 * core that the server runs. Writes are decided by that core, shown at once, kept in IndexedDB and
 * sent to the server when it can be reached. What others changed in the meantime merges, or comes
 * up as a conflict; nothing is dropped silently.
 */

/** A level: `global ▸ project ▸ branch ▸ task`. */
export type Level = "global" | "project" | "branch" | "task";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/**
 * JSON as text. JavaScript's numbers round integers beyond 2⁵³; text keeps every digit. Wherever a
 * write takes data, a patch or values, it takes their text as well, and what is read has a twin that
 * gives the text: `resolveText`, `getText`, `historyText`, `diffText`, `viewDiffText`, `previewText`,
 * `conflictsText`.
 */
export type JsonText = string;

/** A JSON Pointer (RFC 6901): `""` is the whole document, `/a/b` a member of a member. */
export type Pointer = string;

/** Names one context. `global` has the one id `global`. */
export interface Address {
  level: Level;
  id: string;
}

/** A past state: a seq (the store's commit counter), a time in RFC 3339, or a `Date`. */
export type AsOf = number | string | Date;

/** One operation of a JSON Patch (RFC 6902). */
export interface PatchOperation {
  op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  path: Pointer;
  from?: Pointer;
  value?: Json;
}

/** A merge patch (RFC 7396; an object) or a JSON Patch (RFC 6902; an array). */
export type Patch = JsonObject | PatchOperation[];

/** Merge rules of a context: pointer → `replace`, `deep`, `union`, `append`, `keyed:<member>`, `lock`. */
export type Rules = { [pointer: string]: string };

// ─── Opening ─────────────────────────────────────────────────────────────────────────────────────

export interface OpenOptions {
  /** The server's origin, e.g. `https://nacre.example`. */
  url: string | URL;
  /** The bearer token; or a function that gives one, asked again when a token has expired. Its
   * failing, or taking more than three seconds, keeps nobody from a replica that is the only one on
   * this device. */
  token: string | (() => string | Promise<string>);
  /** Holds only this context, what is below it, and its ancestors. */
  under?: Address;
  /** Begin offline: the network is not used until `replica.online = true`. Not asked for: what it
   * was when the replica was last open. */
  online?: boolean;
  /** `"memory"` keeps nothing; it is what is used where there is no IndexedDB. */
  storage?: "indexeddb" | "memory";
}

/**
 * Opens a replica: from this device at once when it is here, from the server the first time.
 * @throws {NacreError} `unauthenticated` for a token that cannot be read; `unavailable` when there
 * is no copy on this device and the server cannot be reached; `store-unavailable` when this device
 * has no room for a copy, or does not give it.
 */
export function open(options: OpenOptions): Promise<Replica>;

/**
 * Loads the core; `open` does so by itself. May be called many times.
 * @param source where the wasm file is, its bytes, or the module; where it stands beside the script
 * if nothing is named.
 */
export function init(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>): Promise<void>;

/** The version of this package. */
export const version: string;

// ─── The replica ─────────────────────────────────────────────────────────────────────────────────

export interface Replica {
  readonly url: string;
  /** The user of the token. */
  readonly user: string;
  readonly under: Address | null;

  // Reads answer at once, from memory. They throw `NacreError` (`not-found`, `invalid-id` …) and
  // show writes that are still to be sent.

  /** The resolved view of a context. */
  resolve(level: Level, id: string, options?: ResolveOptions): View;
  /** The resolved document alone, as canonical JSON text: the server's very bytes. */
  resolveText(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): JsonText;
  /** The same as UTF-8: the fastest way to a view. */
  resolveBytes(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): Uint8Array;
  /** The view with the origin of every value, and what locks overruled. */
  explain(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): ExplainedView;
  /** One stored layer. */
  get(level: Level, id: string, options?: { version?: number; at?: AsOf }): Context;
  /** The same as text. */
  getText(level: Level, id: string, options?: { version?: number; at?: AsOf }): JsonText;
  /** Whether the context is there. */
  has(level: Level, id: string): boolean;
  /** Contexts in order of level and id, without their data unless `data` is asked for. All of them
   * when `limit` (1 to 200) is not given. */
  list(filter?: ListFilter): ContextPage;
  /** The contexts directly below one, in order of id. */
  children(level: Level, id: string): ContextSummary[];
  /** Versions of a context, newest first. Writes that are still to be sent are among them, with the
   * version that they will probably get. */
  history(level: Level, id: string, options?: PageOptions): HistoryPage;
  /** The same as text. */
  historyText(level: Level, id: string, options?: PageOptions): JsonText;
  /** JSON Patch between two versions of a layer; `to` is the current one if left out. */
  diff(level: Level, id: string, options: { from: number; to?: number }): { patch: DiffOperation[] };
  /** The same as text. */
  diffText(level: Level, id: string, options: { from: number; to?: number }): JsonText;
  /** JSON Patch between two states of a view, with the layers responsible. */
  viewDiff(level: Level, id: string, options: { from: AsOf; to?: AsOf }): { patch: DiffOperation[] };
  /** The same as text. */
  viewDiffText(level: Level, id: string, options: { from: AsOf; to?: AsOf }): JsonText;
  /** What a write would change, in every view below. Nothing is stored. Throws what the write would
   * (`locked`, `too-deep` …): this is live validation. */
  preview(level: Level, id: string, trial: Trial): Preview;
  /** The same as text. */
  previewText(level: Level, id: string, trial: Trial): JsonText;
  /** Insights or progress notes known here, newest first. Those of others come with a resync. */
  insights(level: Level, id: string, options?: PageOptions): { items: Insight[]; next_cursor: string | null };
  progress(level: Level, id: string, options?: PageOptions): { items: ProgressNote[]; next_cursor: string | null };

  /** What was deleted and is not here again, newest first: one page of the server's audit trail, which
   * has to be within reach. There may be none on a page, and more on the next. */
  deleted(options?: { cursor?: string }): Promise<{ items: DeletedContext[]; next_cursor: string | null }>;

  // Writes are decided and shown at once; the promise holds when they are kept on this device. They
  // reject with `NacreError` when the core refuses them, and then nothing has changed. What the
  // server makes of them shows in `status`, `conflicts()` and `synced()`.

  /** Make a context that is not there. */
  create(level: Level, id: string, context: NewContext): Promise<Written>;
  /** Create or replace. */
  put(level: Level, id: string, context: NewContext): Promise<Written>;
  /** Edit the stored layer. In a merge patch `null` removes the member from the layer. */
  update(level: Level, id: string, patch: Patch | JsonText, options?: WriteOptions): Promise<Written>;
  /** Store tombstones, which hide inherited members. */
  unset(level: Level, id: string, pointers: Pointer[], options?: WriteOptions): Promise<Written>;
  /** Append to a list, made if missing; appends of others are never lost and never in conflict. */
  append(level: Level, id: string, pointer: Pointer, values: Json[] | JsonText, options?: WriteOptions): Promise<Written>;
  /** Take away, restorably; refused (`has-children`) while something is below, unless `cascade`. */
  remove(level: Level, id: string, options?: WriteOptions & { cascade?: boolean }): Promise<Written>;
  /** Bring back what a delete took. What was deleted before this copy was made, only the server can
   * bring back: then it has to be within reach, and the promise holds when it is here again. */
  restore(level: Level, id: string, options?: WriteOptions): Promise<Written>;
  /** A new version with the data and rules of an old one. */
  rollback(level: Level, id: string, version: number, options?: WriteOptions): Promise<Written>;
  /** Put under another parent, one level up. */
  move(level: Level, id: string, parent: string, options?: WriteOptions): Promise<Written>;
  addInsight(level: Level, id: string, insight: { content: string; category?: string; importance?: number; agent?: string }): Promise<Written>;
  addProgress(level: Level, id: string, note: { content: string; agent?: string }): Promise<Written>;
  /** Writes as one: all or none here, and one transaction at the server. At most 100, and 4 MiB
   * (`too-large`). What of them meets changes of others becomes conflicts; the rest goes on. */
  batch(operations: Operation[]): Promise<Written[]>;
  /** Creates (or replaces) contexts from NDJSON, a JSON array, or one JSON object, of
   * `{level, id, parent?, data, rules?}`; lines of an export do. All or nothing for each 100, or 3 MiB. */
  import(text: string, options?: { mode?: "create" | "replace" }): Promise<{ created: number; replaced: number }>;

  // Sync.

  /** How things stand; the same object as long as nothing is different. */
  readonly status: Status;
  /** The switch: `false` stops using the network, `true` comes back. It holds for all tabs and is
   * remembered. Whether the server can be reached is `status.state`. */
  online: boolean;
  /** Resolves when all that was written so far is with the server or in `conflicts()`. Waits as long
   * as it takes, unless a signal ends it. */
  synced(options?: { signal?: AbortSignal }): Promise<void>;
  /** Writes that are not with the server yet, in order. */
  pending(): PendingWrite[];
  /** What needs a decision. */
  conflicts(): Conflict[];
  /** The same as text. */
  conflictsText(): JsonText;
  /** Decides a conflict. `"theirs"` leaves what the server has; `"mine"` writes mine over it;
   * `{value}`, or `{text}` with its text, writes another one; for the aspects `data` and `context`
   * only. */
  settle(conflict: Conflict | string, choice: "mine" | "theirs" | { value: Json } | { text: JsonText }): Promise<void>;

  /**
   * Tells when something changed, be it written here, in another tab or by others. The listener is
   * called after the change has been taken in, at most once a turn of the event loop.
   * @returns ends the subscription.
   */
  subscribe(topic: Topic, listener: (event: TopicEvent) => void): () => void;
  /** Listens to an event. @returns ends it. */
  on<E extends keyof ReplicaEvents>(event: E, listener: (detail: ReplicaEvents[E]) => void): () => void;

  /** Ends it in this tab. What is to be sent stays on this device. */
  close(): Promise<void>;
  /** Removes the copy and the queue from this device, and ends it in all tabs. Unsent writes are
   * lost: look at `pending()` before. */
  erase(): Promise<void>;
}

// ─── What reads give ─────────────────────────────────────────────────────────────────────────────

export interface ResolveOptions {
  /** One part of the view. */
  path?: Pointer;
  /** A past state. */
  at?: AsOf;
  explain?: boolean;
}

export interface LayerVersion extends Address {
  version: number;
}

export interface View extends Address {
  /** The layers, global first. */
  chain: LayerVersion[];
  /** The document, or the part of it that was asked for. */
  data: Json;
  /** The content hash of the whole view. */
  hash: string;
  seq: number;
  origins?: { [pointer: Pointer]: Origin };
  ignored?: Ignored[];
}

export interface ExplainedView extends View {
  origins: { [pointer: Pointer]: Origin };
  ignored: Ignored[];
}

/** Where a value comes from. */
export interface Origin extends LayerVersion {
  by: string;
  rule: string;
  /** Contexts whose value it hides, nearest first. */
  shadowed: LayerVersion[];
}

/** A value that a lock overrules. */
export interface Ignored extends LayerVersion {
  pointer: Pointer;
  locked_by: LayerVersion;
}

export interface ContextSummary extends LayerVersion {
  /** The id one level up; null for global. */
  parent: string | null;
  rules: Rules;
  created_at: string;
  updated_at: string;
  updated_by: string;
}

/** A stored layer. A sealed value is `{"$sealed": "…"}`. */
export interface Context extends ContextSummary {
  data: JsonObject;
}

export interface DeletedContext extends Address {
  at: string;
  by: string;
  /** How many contexts were deleted with it, itself among them; they come back together. */
  count: number;
}

export interface ListFilter {
  level?: Level;
  parent?: string;
  under?: Address;
  prefix?: string;
  data?: boolean;
  limit?: number;
  cursor?: string;
}

export interface ContextPage {
  items: (ContextSummary & { data?: JsonObject })[];
  next_cursor: string | null;
}

export interface PageOptions {
  /** 1 to 200; 50 if not given. */
  limit?: number;
  cursor?: string;
}

export type Change = "create" | "update" | "delete" | "restore" | "rollback" | "move";

export interface HistoryItem {
  version: number;
  seq: number;
  at: string;
  by: string;
  summary: string | null;
  change: Change;
  /** What it changed; null when the version before is not known here. */
  patch: PatchOperation[] | null;
}

export interface HistoryPage {
  items: HistoryItem[];
  next_cursor: string | null;
}

export interface DiffOperation extends PatchOperation {
  /** In a diff of views: the contexts responsible. */
  layers?: LayerVersion[];
}

export interface Preview {
  affected: (Address & { changes: { pointer: Pointer; before?: Json; after?: Json }[] })[];
  /** How many views at and below would stay as they are. */
  unchanged: number;
  overridden_by: (Address & { pointer: Pointer })[];
}

export interface Insight {
  id: string;
  at: string;
  by: string;
  content: string;
  category: string | null;
  importance: number | null;
  agent: string | null;
}

export interface ProgressNote {
  id: string;
  at: string;
  by: string;
  content: string;
  agent: string | null;
}

// ─── What writes take and give ───────────────────────────────────────────────────────────────────

export interface WriteOptions {
  /** Why; shown in the history. */
  summary?: string;
}

export interface NewContext extends WriteOptions {
  data: JsonObject | JsonText;
  /** The id one level up; needed for a new branch or task. */
  parent?: string;
  rules?: Rules;
  /** Make missing parents, empty. */
  create_parents?: boolean;
}

/** One operation of a batch or preview: `POST /v1/batch` of the HTTP API describes the members. */
export interface Operation {
  action: "create" | "put" | "update" | "append" | "unset" | "delete" | "restore" | "rollback" | "move" | "add_insight" | "add_progress";
  level: Level;
  context_id: string;
  summary?: string;
  data?: JsonObject | JsonText;
  parent?: string;
  rules?: Rules;
  create_parents?: boolean;
  patch?: Patch | JsonText;
  pointer?: Pointer;
  values?: Json[] | JsonText;
  pointers?: Pointer[];
  cascade?: boolean;
  version?: number;
  content?: string;
  category?: string;
  importance?: number;
  agent?: string;
}

/** What a preview tries. */
export type Trial = { patch: Patch | JsonText } | { operations: Operation[] };

/** A write that is decided here and on its way. */
export interface Written {
  level: Level;
  id: string;
  /** The version it probably gets; for entries there is none. */
  version?: number;
  /** Its idempotency key. */
  key: string;
}

export interface PendingWrite {
  key: string;
  action: Operation["action"];
  level: Level;
  id: string;
  /** When it was made. */
  at: string;
  /** Handed to the server, which has not answered yet. */
  sent: boolean;
}

// ─── Conflicts and events ────────────────────────────────────────────────────────────────────────

/**
 * A write of mine that met a change of others, or that the server refuses.
 *
 * - `data`: both changed the value at `pointer`; the rest of the write went through.
 * - `context`: one deleted what the other changed, or both made it; the values are whole documents.
 * - `parent`, `rules`: both moved it, or set its merge rules; the values are those.
 * - `operation`: it cannot be done any more; `problem` says why, `operation` is the write. `mine`
 *   tries it once more as it is.
 *
 * `ancestor`, `theirs` and `mine` are left out where there is no value.
 */
export interface Conflict {
  id: string;
  aspect: "data" | "context" | "parent" | "rules" | "operation";
  level: Level;
  context_id: string;
  pointer: Pointer;
  ancestor?: Json;
  theirs?: Json;
  mine?: Json;
  /** When mine was written. */
  at: string;
  /** Why mine was written, if it was said. */
  summary?: string;
  operation?: Operation;
  problem?: Problem;
}

export interface Status {
  /**
   * - `offline`: switched off, or the server cannot be reached;
   * - `syncing`: being brought up to date, or sending;
   * - `online`: up to date and listening.
   */
  state: "offline" | "syncing" | "online";
  /** The switch, see `Replica.online`. */
  online: boolean;
  /** Writes that are not with the server yet. */
  queued: number;
  conflicts: number;
  /** The state of the server's store that is held here. */
  seq: number;
  /** Whether this tab is the one that talks to the server. */
  leader: boolean;
  /** The last thing that went wrong with the server, until something goes right. `unauthenticated`:
   * it takes neither the token nor the one that was asked for in its place; each further try asks
   * for a token again, and switching off and on tries at once. */
  error: NacreError | null;
}

export type Topic = { context: Address } | { subtree: Address } | { resolved: Address } | "all";

export interface TopicEvent {
  topic: Topic;
  seq: number;
  /** For `resolved`: the view's hash; null when it is gone. */
  hash?: string | null;
}

/** A change that the server announced. */
export interface ChangeEvent {
  seq: number;
  level: Level;
  context_id: string;
  version: number;
  by: string;
  action: Change;
  at: string;
  patch: PatchOperation[];
  /** Whether it is a write that was queued here, in this tab or another. */
  mine: boolean;
}

export interface ReplicaEvents {
  status: Status;
  change: ChangeEvent;
  conflict: Conflict;
  error: NacreError;
  /** Ended: closed here, or erased in another tab. */
  close: undefined;
}

// ─── Errors ──────────────────────────────────────────────────────────────────────────────────────

/** Problem details (RFC 9457), as the server gives them. */
export interface Problem {
  code: string;
  status: number;
  title: string;
  detail: string;
  type: string;
  pointer?: Pointer;
  current_version?: number;
  failed_operation?: number;
  limit?: number;
  [member: string]: unknown;
}

export class NacreError extends Error {
  /** A code of the HTTP API, or `unavailable` (no answer from the server), `closed` (the replica is). */
  readonly code: string;
  readonly status: number | undefined;
  readonly pointer: Pointer | undefined;
  readonly problem: Problem | undefined;
  /** Who has to act: the caller, who asks again, who grants, who waits. */
  readonly fault: "input" | "conflict" | "denied" | "limit" | "store" | "bug";
}
