// The face of a replica: puts its parts together, and hands on what is asked of it.

import type {
  Address,
  Conflict,
  DeletedContext,
  Json,
  JsonText,
  Level,
  NewContext,
  OpenOptions,
  Operation,
  Patch,
  PendingWrite,
  Pointer,
  Replica as ReplicaFace,
  ReplicaEvents,
  Status,
  Topic,
  TopicEvent,
  WriteOptions,
  Written,
} from "../index.js";
import { type Members, asEvent, asListener, asName, asObject, asOptions, asText, asTopic, wrong } from "./arguments.ts";
import { Copy } from "./copy.ts";
import { type Core, call, init } from "./core.ts";
import { NacreError, hasCode, refused } from "./error.ts";
import { Events } from "./events.ts";
import { Queue } from "./queue.ts";
import { Reads } from "./reads.ts";
import { Scope } from "./scope.ts";
import { Server, userOf } from "./server.ts";
import { isThere, namesOf } from "./storage.ts";
import { Sync } from "./sync.ts";

/** How many milliseconds a token is waited for when there is a copy that opens without one. */
const PATIENCE = 3000;

const SUMMARY: Members = { summary: "" };
const CONTEXT: Members = { ...SUMMARY, data: "", parent: "", rules: "", create_parents: "" };
const NOTE: Members = { content: "", agent: "" };
const INSIGHT: Members = { ...NOTE, category: "", importance: "" };

export async function open(options: OpenOptions): Promise<Replica> {
  const url = asOptions(options);
  const { under = null, token } = options;
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const server = new Server(url, token);
  const isKept = options.storage !== "memory" && (await isThere());
  const prefix = isKept ? `nacre ${url} ${under ? `${under.level}/${under.id}` : ""} ` : null;
  const [user] = await Promise.all([whose(server, prefix), init()]);
  server.user = user;
  const parts = assemble(user, under, server);
  const replica = new Replica(url.href, user, under, prefix && prefix + user, parts);
  try {
    const { own, begin } = await parts.copy.start(replica.database);
    await parts.sync.start(options.online, own);
    const isNew = !parts.copy.core.is_open();
    begin();
    parts.copy.tell({ hello: true });
    await parts.sync.ready();
    if (isNew && under && replica.status.queued === 0 && !replica.has(under.level, under.id)) {
      await replica.erase(); // the next try fetches anew, for by then it may exist
      throw refused("not-found", 404, `\`under\` must name a context: there is no ${under.level} \`${under.id}\``);
    }
  } catch (error) {
    await replica.close(); // so that another tab may lead
    if (error instanceof NacreError) throw error;
    throw new NacreError("store-unavailable", "could not read from IndexedDB", { cause: error });
  }
  return replica;
}

/** The user of the token; when no token comes, the user of the only replica on this device. */
async function whose(server: Server, prefix: string | null): Promise<string> {
  const asked = server.token().then(userOf);
  asked.catch(() => {}); // looked at below
  const [name, ...others] = prefix ? await namesOf(prefix) : [];
  if (!prefix || !name || others.length > 0) return asked;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, PATIENCE)));
  const user = await Promise.race([asked, late]).catch(() => undefined);
  clearTimeout(timer);
  return user ?? name.slice(prefix.length);
}

interface Parts {
  copy: Copy;
  queue: Queue;
  sync: Sync;
  events: Events;
}

function assemble(user: string, under: Address | null, server: Server): Parts {
  const copy: Copy = new Copy(user, {
    changed: () => events.changed(),
    committed() {
      events.changed();
      sync.kick();
    },
    failed: (error) => sync.failed(error),
    heard(message) {
      sync.hear(message);
      events.emitAll(message);
    },
    leads: (leads) => void (leads ? sync.lead() : sync.follow()),
    closed() {
      sync.stop();
      events.closed();
    },
  });
  const events: Events = new Events({
    get isClosed() {
      return copy.isClosed;
    },
    get seq() {
      return copy.core.seq();
    },
    get status() {
      return sync.status;
    },
    stamp: (topic) => stampOf(copy.core, topic),
  });
  const reads = new Reads(() => copy.open());
  const sync = new Sync(copy, new Scope(under, reads), server, events);
  return { copy, queue: new Queue(copy, reads), sync, events };
}

/** A value that differs whenever what a topic covers has changed. */
function stampOf(core: Core, topic: Topic): unknown {
  const [kind, address] = asTopic(topic) ?? [];
  if (!address) return {}; // all: never the same
  return call(() => core.stamp(address.level, address.id, kind === "subtree", kind === "resolved"));
}

class Replica extends Reads implements ReplicaFace {
  readonly url: string;
  readonly user: string;
  readonly under: Address | null;
  readonly database: string | null;
  readonly #copy: Copy;
  readonly #queue: Queue;
  readonly #sync: Sync;
  readonly #events: Events;
  /** The status when it was closed. */
  #last: Status | undefined;

  constructor(url: string, user: string, under: Address | null, database: string | null, parts: Parts) {
    super(() => parts.copy.open());
    this.url = url;
    this.user = user;
    this.under = under;
    this.database = database;
    this.#copy = parts.copy;
    this.#queue = parts.queue;
    this.#sync = parts.sync;
    this.#events = parts.events;
  }

  // ─── Writes ──────────────────────────────────────────────────────────────────────────────────

  create(level: Level, id: string, context: NewContext): Promise<Written> {
    return this.#write({ action: "create", level, context_id: id }, context, CONTEXT, "context");
  }

  put(level: Level, id: string, context: NewContext): Promise<Written> {
    return this.#write({ action: "put", level, context_id: id }, context, CONTEXT, "context");
  }

  update(level: Level, id: string, patch: Patch | JsonText, options: WriteOptions = {}): Promise<Written> {
    return this.#write({ action: "update", level, context_id: id, patch }, options);
  }

  unset(level: Level, id: string, pointers: Pointer[], options: WriteOptions = {}): Promise<Written> {
    return this.#write({ action: "unset", level, context_id: id, pointers }, options);
  }

  append(
    level: Level,
    id: string,
    pointer: Pointer,
    values: Json[] | JsonText,
    options: WriteOptions = {},
  ): Promise<Written> {
    return this.#write({ action: "append", level, context_id: id, pointer, values }, options);
  }

  remove(level: Level, id: string, options: WriteOptions & { cascade?: boolean } = {}): Promise<Written> {
    return this.#write({ action: "delete", level, context_id: id }, options, { ...SUMMARY, cascade: "" });
  }

  async restore(level: Level, id: string, options: WriteOptions = {}): Promise<Written> {
    try {
      return await this.#write({ action: "restore", level, context_id: id }, options);
    } catch (error) {
      if (!hasCode(error, "not-found") || !this.#sync.online) throw error;
    }
    return this.#sync.restore(level, id, options);
  }

  rollback(level: Level, id: string, version: number, options: WriteOptions = {}): Promise<Written> {
    return this.#write({ action: "rollback", level, context_id: id, version }, options);
  }

  move(level: Level, id: string, parent: string, options: WriteOptions = {}): Promise<Written> {
    return this.#write({ action: "move", level, context_id: id, parent }, options);
  }

  addInsight(
    level: Level,
    id: string,
    insight: { content: string; category?: string; importance?: number; agent?: string },
  ): Promise<Written> {
    return this.#write({ action: "add_insight", level, context_id: id }, insight, INSIGHT, "insight");
  }

  addProgress(level: Level, id: string, note: { content: string; agent?: string }): Promise<Written> {
    return this.#write({ action: "add_progress", level, context_id: id }, note, NOTE, "note");
  }

  /** Has one write decided; `given` is the argument whose members it takes over. */
  async #write(operation: Operation, given: object, members: Members = SUMMARY, name?: string): Promise<Written> {
    return this.#queue.write({ ...asObject(given, members, name), ...operation });
  }

  batch(operations: Operation[]): Promise<Written[]> {
    return this.#queue.batch(operations);
  }

  async import(
    text: string,
    options: { mode?: "create" | "replace" } = {},
  ): Promise<{ created: number; replaced: number }> {
    return this.#queue.import(text, asObject(options, { mode: "" })["mode"] ?? "create");
  }

  // ─── Sync ────────────────────────────────────────────────────────────────────────────────────

  get status(): Status {
    return this.#last ?? this.#sync.status;
  }

  get online(): boolean {
    return this.#sync.online;
  }

  set online(online: boolean) {
    if (typeof online !== "boolean") throw wrong("online", "true or false", online);
    this.#sync.online = online;
  }

  async synced(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = asObject(options, { signal: "" }) as { signal?: AbortSignal };
    if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
      throw wrong("signal", "an AbortSignal", signal);
    // A refused write waits for somebody, and not for the server.
    const waiting = (): string[] => this.pending().flatMap(({ key, state }) => (state === "refused" ? [] : key));
    // What was written so far, also what is being kept just now.
    let keys: Set<string> | undefined;
    const known = this.#copy.turn(() => {
      keys = new Set(waiting());
      this.#events.changed();
    });
    known.catch(() => {}); // closed, which is said below
    return this.#events.until(() => {
      this.#copy.open();
      return keys !== undefined && (keys.size === 0 || !waiting().some((key) => keys?.has(key)));
    }, signal);
  }

  pending(): PendingWrite[] {
    return this.#queue.pending();
  }

  async retry(write: PendingWrite | Written | string): Promise<void> {
    return this.#sync.request("retry", asName(write, "write", "key"));
  }

  async discard(write: PendingWrite | Written | string): Promise<void> {
    return this.#sync.request("discard", asName(write, "write", "key"));
  }

  conflicts(): Conflict[] {
    return JSON.parse(this.conflictsText());
  }

  conflictsText(): JsonText {
    return this.#queue.conflictsText();
  }

  settle(conflict: Conflict | string, choice: "mine" | "theirs" | { value: Json } | { text: JsonText }): Promise<void> {
    return this.#queue.settle(conflict, choice);
  }

  async deleted(options: { cursor?: string } = {}): Promise<{ items: DeletedContext[]; next_cursor: string | null }> {
    const { cursor } = asObject(options, { cursor: "" });
    const page = await this.#sync.deleted(cursor === undefined ? null : asText(cursor, "cursor"));
    return { ...page, items: page.items.filter(({ level, id }) => !this.has(level, id)) };
  }

  subscribe(topic: Topic, listener: (event: TopicEvent) => void): () => void {
    this.#copy.open();
    asListener(listener);
    return this.#events.subscribe(topic, listener);
  }

  on<E extends keyof ReplicaEvents>(event: E, listener: (detail: ReplicaEvents[E]) => void): () => void {
    asEvent(event);
    asListener(listener);
    return this.#events.on(event, listener);
  }

  async close(): Promise<void> {
    await this.#copy.close(() => (this.#last = this.#sync.status));
  }

  async erase(): Promise<void> {
    this.#copy.open();
    this.#copy.tell({ erased: true });
    await this.close();
    await this.#copy.erase();
  }
}
