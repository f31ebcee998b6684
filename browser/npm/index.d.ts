/**
 * `@nacre/context`: layered contexts, resolved in the browser, offline too.
 *
 * A replica holds a copy of one store with its history. Reads answer from it at once, with the same
 * core that the server runs. Writes are decided by that core, shown at once, kept in IndexedDB and
 * sent to the server when it can be reached. Changes of others are merged in, or become conflicts;
 * nothing is dropped silently.
 *
 * This file is the package's public face. `tests/browser/types.test.mjs` compares it with the types
 * that are generated from the source, in both directions.
 */

/** A level, from the most general to the most specific: `global ▸ project ▸ branch ▸ task`. */
export type Level = "global" | "project" | "branch" | "task";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/**
 * JSON as text. JavaScript's numbers round integers beyond 2⁵³; text keeps every digit. Writes take
 * data, patches and values as text too, and reads have a twin that gives text: `resolveText`,
 * `getText`, `historyText`, `diffText`, `viewDiffText`, `previewText`, `mergeText`, `conflictsText`.
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
  /** The server's address, such as `https://nacre.example`. */
  url: string | URL;
  /** The bearer token; or a function that gives one, called again when a token has expired. If it
   * fails or takes over three seconds, a sole local replica still opens. */
  token: string | (() => string | Promise<string>);
  /** Holds only this context, what is below it, and its ancestors. The context must exist when the
   * copy is fetched; when it is deleted later, the replica waits until it is there again. */
  under?: Address;
  /** `false` starts without the network, until `replica.online = true`. The default is the value
   * that `replica.online` had last. */
  online?: boolean;
  /** Where the copy is kept. `"memory"` keeps nothing, and is used where there is no IndexedDB. Where
   * IndexedDB is denied or does not answer, `open` fails unless this is `"memory"`. */
  storage?: "indexeddb" | "memory";
}

/**
 * Opens a replica: from this device at once when there is a copy, from the server the first time.
 * @throws {NacreError} `invalid-request` for a wrong option, which it names; `unauthenticated` for a
 * token that cannot be read; `unavailable` when there is no copy on this device and the server cannot
 * be reached, or `url` leads to something else; `not-found` when `under` names no context;
 * `store-unavailable` when IndexedDB is denied, cannot be read, does not answer, or has no room for
 * a copy.
 */
export function open(options: OpenOptions): Promise<Replica>;

/**
 * Loads the core, once; `open` does so by itself.
 * @param source the address of the wasm file, its bytes, or the module; by default the file beside
 * the script.
 */
export function init(
  source?: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>,
): Promise<void>;

/** The version of this package. */
export const version: string;

// ─── The replica ─────────────────────────────────────────────────────────────────────────────────

export interface Replica {
  /** The server's address, which ends with a slash. */
  readonly url: string;
  /** The user of the token. */
  readonly user: string;
  /** The context that the replica is limited to; null when it holds the whole store. */
  readonly under: Address | null;
  /** The name of its database in IndexedDB; null when it is in memory. */
  readonly database: string | null;

  // Reads answer at once, from memory. They throw `NacreError` (`not-found`, `invalid-id` …) and
  // show writes that are not with the server yet.

  /** The resolved view of a context. */
  resolve(level: Level, id: string, options?: ResolveOptions): View;
  /** The resolved document alone, as canonical JSON text: the same bytes as the server's. */
  resolveText(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): JsonText;
  /** The same as UTF-8: the fastest way to a view. */
  resolveBytes(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): Uint8Array;
  /** The view with the origin of every value, and the values that a lock overrules. */
  explain(level: Level, id: string, options?: Omit<ResolveOptions, "explain">): ExplainedView;
  /** One stored layer. */
  get(level: Level, id: string, options?: { version?: number; at?: AsOf }): Context;
  /** The same as text. */
  getText(level: Level, id: string, options?: { version?: number; at?: AsOf }): JsonText;
  /** Whether the context exists. */
  has(level: Level, id: string): boolean;
  /** Contexts in order of level and id, with their data if `data` is set. Without `limit` (1 to 200)
   * there is one page with all of them. */
  list(filter?: ListFilter): ContextPage;
  /** The contexts directly below one, in order of id. */
  children(level: Level, id: string): ContextSummary[];
  /** Versions of a context, newest first. Writes that are not with the server yet have the version
   * that they will probably get. */
  history(level: Level, id: string, options?: PageOptions): HistoryPage;
  /** The same as text. */
  historyText(level: Level, id: string, options?: PageOptions): JsonText;
  /** JSON Patch between two versions of a layer; the default of `to` is the current one. */
  diff(level: Level, id: string, options: { from: number; to?: number }): { patch: DiffOperation[] };
  /** The same as text. */
  diffText(level: Level, id: string, options: { from: number; to?: number }): JsonText;
  /** JSON Patch between two states of a view, with the layers responsible. */
  viewDiff(level: Level, id: string, options: { from: AsOf; to?: AsOf }): { patch: DiffOperation[] };
  /** The same as text. */
  viewDiffText(level: Level, id: string, options: { from: AsOf; to?: AsOf }): JsonText;
  /** The changes that a write would make, in every view below. Nothing is stored. It throws the
   * errors of the write (`locked`, `too-deep` …), so it can validate as a user types. */
  preview(level: Level, id: string, trial: Trial): Preview;
  /** The same as text. */
  previewText(level: Level, id: string, trial: Trial): JsonText;
  /** Brings an unsaved draft forward onto what the context holds now. What only others changed since
   * `base` comes in; where both changed a place differently, the draft stands and `conflicts` names
   * the place. Nothing is stored. */
  merge(level: Level, id: string, edits: Edits): Merge;
  /** The same as text. */
  mergeText(level: Level, id: string, edits: Edits): JsonText;
  /** Insights, newest first. They are live: those of others come as changes do, see `ReplicaEvents.entry`. */
  insights(level: Level, id: string, options?: PageOptions): { items: Insight[]; next_cursor: string | null };
  /** Progress notes, newest first, and live as well. */
  progress(level: Level, id: string, options?: PageOptions): { items: ProgressNote[]; next_cursor: string | null };

  /** Deleted contexts that have not been restored, newest first. They come from a page of the
   * server's audit trail, so the server must be reachable. A page may be empty and not the last. */
  deleted(options?: { cursor?: string }): Promise<{ items: DeletedContext[]; next_cursor: string | null }>;

  // Writes are decided and shown at once. The promise resolves when the write is kept on this device,
  // and rejects with `NacreError` when the core refuses it; then nothing has changed. What becomes of
  // it afterwards is its `WriteState`, which `pending()` and the event `write` tell.

  /** Create a context that does not exist. */
  create(level: Level, id: string, context: NewContext): Promise<Written>;
  /** Create or replace. */
  put(level: Level, id: string, context: NewContext): Promise<Written>;
  /** Edit the stored layer. In a merge patch `null` removes the member from the layer. */
  update(level: Level, id: string, patch: Patch | JsonText, options?: WriteOptions): Promise<Written>;
  /** Store tombstones, which hide inherited members. */
  unset(level: Level, id: string, pointers: Pointer[], options?: WriteOptions): Promise<Written>;
  /** Append to a list, created if missing. Appends never conflict, and none is lost. */
  append(
    level: Level,
    id: string,
    pointer: Pointer,
    values: Json[] | JsonText,
    options?: WriteOptions,
  ): Promise<Written>;
  /** Delete, restorably. Refused (`has-children`) while a context is below, unless `cascade` is set. */
  remove(level: Level, id: string, options?: WriteOptions & { cascade?: boolean }): Promise<Written>;
  /** Restore a deleted context, with those deleted together with it. Only the server can restore one
   * that was deleted before this copy was made: then it must be reachable, and the promise resolves
   * when the context is here again. */
  restore(level: Level, id: string, options?: WriteOptions): Promise<Written>;
  /** A new version with the data and rules of an old one. */
  rollback(level: Level, id: string, version: number, options?: WriteOptions): Promise<Written>;
  /** Put under another parent, one level up. */
  move(level: Level, id: string, parent: string, options?: WriteOptions): Promise<Written>;
  addInsight(
    level: Level,
    id: string,
    insight: { content: string; category?: string; importance?: number; agent?: string },
  ): Promise<Written>;
  addProgress(level: Level, id: string, note: { content: string; agent?: string }): Promise<Written>;
  /** Several writes as one: all or none here, and one transaction at the server. At most 100, and
   * 4 MiB (`too-large`). Those that meet changes of others become conflicts; the rest goes on. */
  batch(operations: Operation[]): Promise<Written[]>;
  /** Creates (or replaces) contexts from NDJSON, a JSON array, or one JSON object, of
   * `{level, id, parent?, data, rules?}`; an export has this form. Each 100 contexts, or 3 MiB, are
   * all or nothing. */
  import(text: string, options?: { mode?: "create" | "replace" }): Promise<{ created: number; replaced: number }>;

  // Sync.

  /** The state of the replica; the same object as long as nothing is different. */
  readonly status: Status;
  /** The switch: `false` stops using the network, `true` uses it again. It holds for all tabs and is
   * remembered. Whether the server is reached is `status.state`. */
  online: boolean;
  /** Resolves when nothing written so far is queued or in flight: all of it is with the server,
   * refused, or in `conflicts()`. It waits as long as it takes; a signal ends it early. */
  synced(options?: { signal?: AbortSignal }): Promise<void>;
  /** Writes that are not with the server, in order: queued, in flight or refused. */
  pending(): PendingWrite[];
  /**
   * Queues a refused write again, upon what the context holds now.
   * @throws {NacreError} `not-found` if no refused write has this key.
   */
  retry(write: PendingWrite | Written | string): Promise<void>;
  /**
   * Removes a write that is queued or refused. Views show the context without it.
   * @throws {NacreError} `not-found` if no such write has this key; `invalid-request` while it is in
   * flight: nobody knows then whether the server has it.
   */
  discard(write: PendingWrite | Written | string): Promise<void>;
  /** Conflicts that wait for a decision. */
  conflicts(): Conflict[];
  /** The same as text. */
  conflictsText(): JsonText;
  /** Decides a conflict. `"theirs"` keeps the server's value; `"mine"` writes mine over it;
   * `{value}`, or `{text}` with JSON text, writes another one (aspects `data` and `context` only). */
  settle(conflict: Conflict | string, choice: "mine" | "theirs" | { value: Json } | { text: JsonText }): Promise<void>;

  /**
   * Calls a listener when a topic has changed: by a write here, in another tab, or by others. It is
   * called after the change was taken in, at most once a turn of the event loop.
   * @returns a function that ends the subscription.
   */
  subscribe(topic: Topic, listener: (event: TopicEvent) => void): () => void;
  /** Listens to an event. @returns a function that ends it. */
  on<E extends keyof ReplicaEvents>(event: E, listener: (detail: ReplicaEvents[E]) => void): () => void;

  /** Closes the replica in this tab. Writes that are not with the server stay on this device. */
  close(): Promise<void>;
  /** Removes the copy and the queue from this device, and closes the replica in all tabs. Unsent
   * writes are lost: look at `pending()` before. */
  erase(): Promise<void>;
}

// ─── What reads give ─────────────────────────────────────────────────────────────────────────────

export interface ResolveOptions {
  /** Where the part is that is asked for; by default the whole view. */
  path?: Pointer;
  /** A past state; by default the current one. */
  at?: AsOf;
  /** Whether to add `origins` and `ignored`. */
  explain?: boolean;
}

export interface LayerVersion extends Address {
  version: number;
}

export interface View extends Address {
  /** The layers, global first. */
  chain: LayerVersion[];
  /** The document, or the part of it at `path`. */
  data: Json;
  /** The content hash of the whole view. */
  hash: string;
  /** The state of the store that the view shows. */
  seq: number;
  origins?: { [pointer: Pointer]: Origin };
  ignored?: Ignored[];
}

export interface ExplainedView extends View {
  origins: { [pointer: Pointer]: Origin };
  ignored: Ignored[];
}

/** The layer that a value comes from. */
export interface Origin extends LayerVersion {
  /** The user who wrote it. */
  by: string;
  /** The merge rule that decided. */
  rule: string;
  /** Contexts whose value it hides, nearest first. */
  shadowed: LayerVersion[];
}

/** A value without effect. */
export interface Ignored extends LayerVersion {
  /** The place in its layer. */
  pointer: Pointer;
  /** The context with the lock; null for an item that a later one with the same key hides. */
  locked_by: LayerVersion | null;
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
  /** When it was deleted, in RFC 3339. */
  at: string;
  /** The user who deleted it. */
  by: string;
  /** How many contexts were deleted with it, itself among them; they come back together. */
  count: number;
}

export interface ListFilter {
  level?: Level;
  /** The id one level up. */
  parent?: string;
  /** The context itself and all below it. */
  under?: Address;
  /** The beginning of the id. */
  prefix?: string;
  /** Whether to include each context's data. */
  data?: boolean;
  /** 1 to 200. */
  limit?: number;
  /** `next_cursor` of the page before. */
  cursor?: string;
}

export interface ContextPage {
  items: (ContextSummary & { data?: JsonObject })[];
  next_cursor: string | null;
}

export interface PageOptions {
  /** 1 to 200; the default is 50. */
  limit?: number;
  /** `next_cursor` of the page before. */
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
  /** The change to the stored layer; null when the version before is not known here. */
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
  /** How many views at the context and below it would not change. */
  unchanged: number;
  overridden_by: (Address & { pointer: Pointer })[];
}

/** A draft, and the data that it was made from. */
export interface Edits {
  base: JsonObject | JsonText;
  draft: JsonObject | JsonText;
}

/** A draft that was brought forward, see `Replica.merge`. */
export interface Merge {
  data: JsonObject;
  /** The places that the draft and others changed differently, in the order of the document. */
  conflicts: Pointer[];
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
  /** Why the write was made; shown in the history. */
  summary?: string;
}

export interface NewContext extends WriteOptions {
  data: JsonObject | JsonText;
  /** The id one level up; needed for a new branch or task. */
  parent?: string;
  rules?: Rules;
  /** Whether to create missing parents, with empty data. */
  create_parents?: boolean;
}

/** One operation of a batch or preview: `POST /v1/batch` of the HTTP API describes the members. */
export interface Operation {
  action:
    | "create"
    | "put"
    | "update"
    | "append"
    | "unset"
    | "delete"
    | "restore"
    | "rollback"
    | "move"
    | "add_insight"
    | "add_progress";
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

/** The write that a preview tries: a patch, or operations as in a batch. */
export type Trial = { patch: Patch | JsonText } | { operations: Operation[] };

/**
 * What a write can be, in every tab. The package's README has it as a table.
 *
 * - `queued`: is kept on this device, and shown in views. It is sent as soon as the server can be
 *   reached; or `discard` removes it.
 * - `in-flight`: was sent, and is not answered yet. Until the server answers, it is sent again, and
 *   counts once.
 * - `refused`: cannot be done: the token lacks the right, a rule forbids it, it is too large … It is
 *   not shown in views. `retry` queues it again, and `discard` removes it.
 * - `conflict`: met changes of others in all that it says. `settle` decides. A write that meets them
 *   in a part is sent without that part.
 * - `done`: is with the server, which may have had all that it says already.
 * - `discarded`: was removed by `discard`.
 *
 * No state holds up other writes or the changes of others.
 */
export type WriteState = "queued" | "in-flight" | "refused" | "conflict" | "done" | "discarded";

/** A write that was decided and kept here, and is queued. */
export interface Written {
  level: Level;
  id: string;
  /** The version it will probably get; insights and progress notes have none. */
  version?: number;
  /** Its idempotency key. */
  key: string;
}

/** A write that is not with the server. */
export interface PendingWrite {
  /** Its idempotency key, as in `Written`. */
  key: string;
  action: Operation["action"];
  level: Level;
  id: string;
  /** When it was written, in RFC 3339. */
  at: string;
  state: "queued" | "in-flight" | "refused";
  /** Why it was refused. */
  problem?: Problem;
  /** The refused write itself, to show it, or to write it in another form. */
  operation?: Operation;
}

/** A write that has come to an end or is refused. */
export interface WriteEvent extends Omit<PendingWrite, "state"> {
  state: "refused" | "conflict" | "done" | "discarded";
}

// ─── Conflicts and events ────────────────────────────────────────────────────────────────────────

/**
 * A write made here that met a change of others.
 *
 * - `data`: both changed the value at `pointer`; the rest of the write went through.
 * - `context`: one deleted a context that the other changed, or both created it; the values are whole
 *   documents.
 * - `parent`, `rules`: both moved it, or both set its merge rules; the values are parents or rules.
 *
 * `ancestor`, `theirs` and `mine` are left out where there is no value.
 */
export interface Conflict {
  id: string;
  aspect: "data" | "context" | "parent" | "rules";
  level: Level;
  context_id: string;
  pointer: Pointer;
  ancestor?: Json;
  theirs?: Json;
  mine?: Json;
  /** When mine was written, in RFC 3339. */
  at: string;
  /** The summary of my write, if it has one. */
  summary?: string;
}

export interface Status {
  /**
   * - `offline`: switched off, or the server cannot be reached;
   * - `syncing`: taking changes in, or sending writes;
   * - `online`: up to date and listening, and no write waits.
   */
  state: "offline" | "syncing" | "online";
  /** The switch, see `Replica.online`. */
  online: boolean;
  /** Writes that are queued or in flight. */
  queued: number;
  /** Writes that were refused, until each is retried or discarded. */
  refused: number;
  conflicts: number;
  /** The state of the server's store that the copy holds. */
  seq: number;
  /** Whether this tab is the one that talks to the server. When it does not answer for three seconds,
   * another one takes over. */
  leader: boolean;
  /** Whether the network lets requests through and no WebSocket, or nothing over it. Then changes of others are asked for
   * every five seconds, and no `change` and `entry` events come; everything else works. */
  polling: boolean;
  /** The last error with the server, until something succeeds. `unauthenticated`: the user must sign
   * in again. The token has expired or the server refused it, and so it did with the next one that
   * the `token` function gave. It stays until a token is accepted; every further try asks for one
   * again, and switching off and on tries at once. */
  error: NacreError | null;
}

export type Topic = { context: Address } | { subtree: Address } | { resolved: Address } | "all";

export interface TopicEvent {
  topic: Topic;
  seq: number;
  /** For `resolved`: the view's hash; null when the context no longer exists. */
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
  /** Whether it was written on this device, in this tab or another. */
  mine: boolean;
}

/** An insight or a progress note that the server announced. */
export interface EntryEvent {
  seq: number;
  level: Level;
  context_id: string;
  kind: "insight" | "progress";
  entry: Insight | ProgressNote;
  /** Whether it was written on this device, in this tab or another. */
  mine: boolean;
}

/** Each event is told in every tab. */
export interface ReplicaEvents {
  status: Status;
  change: ChangeEvent;
  entry: EntryEvent;
  /** Told once each time that a write gets into one of these states. */
  write: WriteEvent;
  conflict: Conflict;
  error: NacreError;
  /** The replica was closed here, or erased in another tab. */
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
  constructor(code: string, detail: string, options?: { problem?: Problem; cause?: unknown; retryAfter?: number });
  /** A code of the HTTP API; or `unavailable` (no reply from the server), `closed` (this replica). */
  readonly code: string;
  /** The HTTP status of the code, if it has one. */
  readonly status: number | undefined;
  /** The part of the input that is at fault, if it is one part. */
  readonly pointer: Pointer | undefined;
  /** All that the server or the core has said. */
  readonly problem: Problem | undefined;
  /** How many seconds the server asks to wait. */
  readonly retryAfter: number | undefined;
  /** The cause, by what helps: `input` another call, `conflict` another try on the current version,
   * `denied` another address or a permission, `limit` less or later, `store` later, `bug` a report to the authors. */
  readonly fault: "input" | "conflict" | "denied" | "limit" | "store" | "bug";
}
