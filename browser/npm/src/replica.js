// A replica: reads from the core, writes into the queue, and what holds tabs and server together.

import { Core, asText, bytes, call, init, json, pack, step, text, unpack, written } from "./core.js";
import { NacreError } from "./error.js";
import { isMoved, isWhole, topicsOf } from "./part.js";
import { Reads } from "./reads.js";
import { Server, userOf } from "./server.js";
import { Session } from "./session.js";
import { namesOf, openMemory, openStorage } from "./storage.js";
import { joinTabs } from "./tabs.js";
import { deletedIn } from "./trail.js";

const SWITCH = "j/online";
/** How many bytes of an import are written at once: with all that is added, a request can carry them. */
const IMPORTED = 3 << 20;
/** How long a token is waited for when there is a copy to open without. */
const PATIENCE = 3000;
/** How long a message of another tab may be on its way before the whole is read anew. */
const LATE = 1000;

/** See the declarations. */
export async function open(options) {
  const url = call(() => new URL(options.url));
  const { under = null, token } = options;
  if (under) [under.level, under.id].forEach(asText);
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const server = new Server(url, token);
  const kept = options.storage !== "memory" && globalThis.indexedDB !== undefined;
  const prefix = `nacre ${url} ${under ? `${under.level}/${under.id}` : ""} `;
  const [user] = await Promise.all([whose(server, kept ? prefix : undefined), init()]);
  server.user = user;
  const replica = new Replica({ url, user, under, server, name: prefix + user, kept });
  await replica[START](options.online).catch(async (error) => {
    await replica.close(); // so that another may lead
    if (error instanceof NacreError) throw error;
    throw new NacreError("store-unavailable", "this device does not say what it keeps", { cause: error });
  });
  return replica;
}

/** The user of the token; while there is none, that of the only replica on this device. */
async function whose(server, prefix) {
  const asked = server.token().then(userOf);
  asked.catch(() => {}); // it is looked at below
  const names = prefix === undefined ? [] : await namesOf(prefix);
  if (names.length !== 1) return asked;
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE)));
  const user = await Promise.race([asked, late]).catch(() => undefined);
  clearTimeout(timer);
  return user ?? names[0].slice(prefix.length);
}

const START = Symbol("start");

class Replica extends Reads {
  #core;
  #server;
  #storage;
  #tabs;
  #session;
  #term; // what is the session's own
  #name;
  #kept;
  #leads = false;
  #online = true;
  #ended = false;
  #state = "syncing";
  #error = null;
  #status;
  #freed = false;
  #revision = 0;
  #ahead = new Map(); // revisions of other tabs that came before their turn
  #late;
  #turns = Promise.resolve();
  #own = new Set(); // versions that were written here, until they are told of
  #early = new Map(); // changes of commits that may not be all here, with their seq
  #topics = new Set();
  #listeners = new Map();
  #telling = false;
  #said = "";

  constructor({ url, user, under, server, name, kept }) {
    super((act) => (this.#open(), act(this.#core)));
    this.url = url.href;
    this.user = user;
    this.under = under;
    this.#server = server;
    this.#name = name;
    this.#kept = kept;
    this.#core = call(() => new Core(user));
  }

  async [START](online) {
    this.#storage = this.#kept
      ? await openStorage(this.#name, () => this.#end())
      : openMemory();
    // From here on nothing that another tab keeps is missed.
    let ready;
    const loaded = new Promise((resolve) => (ready = resolve));
    const receive = (message) => loaded.then(() => this.#ended || this.#hear(message));
    const lead = () => loaded.then(() => this.#ended || this.#lead());
    const name = this.#kept ? this.#name : `${this.#name} ${crypto.randomUUID()}`;
    this.#tabs = joinTabs(name, receive, lead);
    const own = await this.#load();
    this.#online = online ?? own.get(SWITCH) ?? true;
    if (!this.#online) this.#state = "offline";
    if (online !== undefined && online !== own.get(SWITCH)) await this.#keep({ entries: [[SWITCH, online]] });
    ready();
    this.#tabs.tell({ hello: true });
    if (this.#core.is_open()) return;
    // The first time: there is nothing to show until the server has been heard.
    await new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#core.is_open()) resolve();
        else if (this.#ended) reject(closed());
        else if (this.#state === "offline") {
          const why = "there is no copy on this device, and the server cannot be reached";
          reject(this.#error ?? new NacreError("unavailable", why));
        } else return;
        stop();
      };
      const stop = this.#watch(settle);
      settle();
    });
  }

  // ─── Writes ──────────────────────────────────────────────────────────────────────────────────

  async #write(operation) {
    return (await this.batch([operation], true))[0];
  }

  create(level, id, context) {
    return this.#write({ ...context, action: "create", level, context_id: id });
  }

  put(level, id, context) {
    return this.#write({ ...context, action: "put", level, context_id: id });
  }

  update(level, id, patch, options) {
    return this.#write({ ...options, action: "update", level, context_id: id, patch });
  }

  unset(level, id, pointers, options) {
    return this.#write({ ...options, action: "unset", level, context_id: id, pointers });
  }

  append(level, id, pointer, values, options) {
    return this.#write({ ...options, action: "append", level, context_id: id, pointer, values });
  }

  remove(level, id, options) {
    return this.#write({ ...options, action: "delete", level, context_id: id });
  }

  async restore(level, id, options) {
    try {
      return await this.#write({ ...options, action: "restore", level, context_id: id });
    } catch (error) {
      if (error.code !== "not-found" || !this.#online) throw error;
    }
    const key = crypto.randomUUID();
    const { version, seq } = await this.#server.restore(level, id, { ...options }, key);
    await this.#until(() => this.#core.seq() >= seq);
    return { level, id, version, key };
  }

  async deleted({ cursor = null } = {}) {
    this.#open();
    if (!this.#online) throw new NacreError("unavailable", "the network is switched off");
    const trail = JSON.parse(await this.#server.audit(cursor));
    const items = deletedIn(trail?.items ?? []).filter(({ level, id }) => !this.has(level, id));
    return { items, next_cursor: trail?.next_cursor ?? null };
  }

  rollback(level, id, version, options) {
    return this.#write({ ...options, action: "rollback", level, context_id: id, version });
  }

  move(level, id, parent, options) {
    return this.#write({ ...options, action: "move", level, context_id: id, parent });
  }

  addInsight(level, id, insight) {
    return this.#write({ ...insight, action: "add_insight", level, context_id: id });
  }

  addProgress(level, id, note) {
    return this.#write({ ...note, action: "add_progress", level, context_id: id });
  }

  /** `alone`: one operation, whose errors are not about its place. */
  async batch(operations, alone = false) {
    if (operations?.length > 100) {
      const problem = { code: "too-many-operations", status: 413, limit: 100 };
      throw new NacreError(problem.code, "a batch holds 100 operations", { problem });
    }
    const asked = written(operations); // as they are now
    // A turn of its own, so that it sees what was written before.
    return this.#turn(async () => {
      this.#open();
      return this.#enqueue(asked, alone, []);
    });
  }

  /** `asked`: operations as text, of which only the names are looked at here. */
  async #enqueue(asked, alone, beside) {
    const key = crypto.randomUUID();
    let decided;
    try {
      decided = call(() => this.#core.write(asked, key, Date.now()));
    } catch (error) {
      if (alone && error.problem) delete error.problem.failed_operation;
      throw error;
    }
    const [[, answer], ...kept] = unpack(decided);
    await this.#keep({ entries: beside, queue: kept.map(([, one]) => one) });
    const operations = JSON.parse(asked);
    return json(answer).results.map(({ version }, at) => ({
      level: operations[at].level,
      id: operations[at].context_id,
      ...(version !== undefined && { version }),
      key: at === 0 ? key : `${key}.${at}`,
    }));
  }

  async import(source, { mode = "create" } = {}) {
    const operations = JSON.parse(call(() => Core.import(asText(source), mode === "replace")));
    const counts = { created: 0, replaced: 0 };
    for (let [at, end] = [0, 0]; at < operations.length; at = end) {
      for (let length = 0; end < operations.length && end - at < 100; end++) {
        length += bytes(JSON.stringify(operations[end])).length;
        if (end > at && length > IMPORTED) break;
      }
      const part = operations.slice(at, end);
      // What stands further up in the same file is there by then.
      const there = part.filter(({ level, context_id }) => this.has(level, context_id)).length;
      await this.batch(part).catch((error) => {
        if (error.problem?.failed_operation !== undefined) error.problem.failed_operation += at;
        throw error;
      });
      counts.replaced += there;
      counts.created += part.length - there;
    }
    return counts;
  }

  // ─── Sync ────────────────────────────────────────────────────────────────────────────────────

  get status() {
    if (!this.#freed) this.#look();
    return this.#status;
  }

  /** How things stand: the same object as long as nothing is different. */
  #look() {
    const now = {
      state: this.#state,
      online: this.#online,
      queued: this.#core.queued(),
      conflicts: this.#core.conflict_count(),
      seq: this.#core.seq(),
      leader: this.#leads,
      error: this.#error,
    };
    if (Object.keys(now).some((name) => now[name] !== this.#status?.[name])) this.#status = now;
  }

  get online() {
    return this.#online;
  }

  set online(online) {
    this.#open();
    if (this.#online === Boolean(online)) return;
    this.#switch(Boolean(online));
    this.#tabs.tell({ online: this.#online });
    this.#turn(() => this.#keep({ entries: [[SWITCH, this.#online]] })).catch((error) => this.#fail(error));
  }

  #switch(online) {
    this.#online = online;
    this.#state = online ? "syncing" : "offline";
    this.#error = null;
    if (this.#leads && online) this.#begin();
    else if (this.#leads) this.#session?.stop();
    this.#changed();
  }

  synced({ signal } = {}) {
    let keys; // of what was written so far, also of what is being kept just now
    const known = this.#turn(() => ((keys = new Set(this.pending().map(({ key }) => key))), this.#changed()));
    known.catch(() => {}); // it was closed, and says so itself
    return this.#until(() => keys && !(keys.size > 0 && this.pending().some(({ key }) => keys.has(key))), signal);
  }

  #until(reached, signal) {
    return new Promise((resolve, reject) => {
      const ends = [];
      const settle = () => {
        if (this.#ended) reject(closed());
        else if (signal?.aborted) reject(signal.reason);
        else if (reached()) resolve();
        else return;
        ends.forEach((end) => end());
      };
      ends.push(this.#watch(settle));
      signal?.addEventListener("abort", settle);
      ends.push(() => signal?.removeEventListener("abort", settle));
      settle();
    });
  }

  pending() {
    this.#open();
    return JSON.parse(this.#core.pending());
  }

  conflicts() {
    return JSON.parse(this.conflictsText());
  }

  conflictsText() {
    this.#open();
    return call(() => this.#core.conflicts());
  }

  async settle(conflict, choice) {
    const id = asText(conflict?.id ?? conflict);
    const chosen = written(choice);
    return this.#turn(async () => {
      this.#open();
      const settled = call(() => this.#core.settle(id, chosen));
      const [[, operations], ...entries] = unpack(settled);
      const asked = text(operations);
      if (asked === "[]") await this.#keep({ entries });
      else await this.#enqueue(asked, true, entries);
    });
  }

  subscribe(topic, listener) {
    this.#open();
    const subscription = { topic, listener, stamp: this.#stamp(topic) };
    this.#topics.add(subscription);
    return () => void this.#topics.delete(subscription);
  }

  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    const entry = { listener };
    this.#listeners.get(event).add(entry);
    return () => void this.#listeners.get(event).delete(entry);
  }

  async close() {
    if (this.#ended) return;
    this.#end();
    await this.#turns.catch(() => {});
    this.#look();
    this.#freed = true;
    this.#core.free();
  }

  async erase() {
    this.#open();
    this.#tabs.tell({ erased: true });
    const storage = this.#storage;
    await this.close();
    await storage.erase();
  }

  // ─── Within ──────────────────────────────────────────────────────────────────────────────────

  #open(term = this.#term) {
    if (this.#ended || term !== this.#term) throw closed();
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#state = "offline";
    this.#session?.stop();
    this.#tabs?.leave(this.#turns);
    this.#storage?.close();
    clearTimeout(this.#late);
    this.#emit("close", undefined);
    this.#watchers.forEach((watcher) => watcher());
  }

  #watchers = new Set();

  /** Calls back whenever something may have changed. */
  #watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** What changes the core and what is kept happens one after the other. */
  #turn(act) {
    const turn = this.#turns.then(act);
    this.#turns = turn.catch(() => {});
    return turn;
  }

  /** Reads all that is kept; what is not kept is not so. */
  async #load() {
    const { entries, revision, own } = await this.#storage.load();
    const core = call(() => new Core(this.user));
    call(() => core.absorb(pack(entries), true));
    this.#core.free();
    this.#core = core;
    this.#revision = revision;
    for (const known of this.#ahead.keys()) if (known <= revision) this.#ahead.delete(known);
    this.#changed();
    return own;
  }

  /** Keeps entries and new writes, and tells the other tabs. The core knows the entries, unless
   * they are the script's own, or stand beside writes. */
  async #keep({ entries = [], anew = false, queue = [], known = false }) {
    let kept;
    try {
      kept = await this.#storage.commit({ entries, anew, queue });
    } catch (cause) {
      if (this.#ended) throw closed();
      const error = new NacreError("store-unavailable", "this device does not keep it", { cause });
      if (known) await this.#load().catch(() => {}); // the core is ahead of what is kept
      throw error;
    }
    const packed = pack(entries.filter(([key]) => !key.startsWith("j/")));
    const places = pack(kept.placed.map(([n, one]) => [String(n), one]));
    this.#tabs.tell({ revision: kept.revision, packed, places, anew });
    if (this.#ended) return;
    if (!known && packed.length > 0) call(() => this.#core.absorb(packed, false));
    if (places.length > 0) call(() => this.#core.queue(places));
    this.#turnTo(kept.revision);
    this.#changed();
    this.#session?.kick();
  }

  /** A step of the core is kept. */
  async #keepStep(packed) {
    const { anew, conflicts, entries } = step(packed);
    if (anew || entries.length > 0) await this.#keep({ entries, anew, known: true });
    for (const conflict of conflicts) this.#emit("conflict", conflict);
    if (conflicts.length > 0) this.#tabs.tell({ conflicts });
    return entries;
  }

  /** Counts a revision; those of other tabs may come in another order. */
  #turnTo(revision) {
    this.#ahead.set(revision, true);
    while (this.#ahead.delete(this.#revision + 1)) this.#revision += 1;
    clearTimeout(this.#late);
    if (this.#ahead.size === 0) return;
    this.#late = setTimeout(() => {
      this.#turn(() => this.#ended || this.#load()).catch((error) => this.#fail(error));
    }, LATE);
  }

  /** A message of another tab. */
  #hear(message) {
    if (message.erased) return this.#end();
    if (message.hello && this.#leads) this.#tellState();
    if (message.online !== undefined) this.#switch(message.online);
    if (message.state && !this.#leads) {
      this.#state = message.state;
      this.#error = message.error ? new NacreError(message.error.code, message.error.message, message.error) : null;
      this.#changed();
    }
    for (const conflict of message.conflicts ?? []) this.#emit("conflict", conflict);
    for (const change of message.changes ?? []) this.#emit("change", change);
    if (message.revision === undefined) return;
    this.#turn(() => {
      if (this.#ended || message.revision <= this.#revision) return;
      if (message.packed.length > 0 || message.anew) {
        call(() => this.#core.absorb(message.packed, message.anew));
      }
      if (message.places.length > 0) call(() => this.#core.queue(message.places));
      this.#turnTo(message.revision);
      this.#changed();
      this.#session?.kick();
    }).catch((error) => this.#fail(error));
  }

  /** This tab talks to the server from now on. */
  async #lead() {
    await this.#turn(() => this.#load()).catch((error) => this.#fail(error));
    if (this.#ended) return;
    this.#leads = true;
    if (this.#online) this.#begin();
    this.#changed();
  }

  #begin() {
    this.#session?.stop();
    this.#session = new Session(this.#steps(), this.#server);
  }

  /** What the session may do. */
  #steps() {
    const term = (this.#term = {});
    // What a session before this one still waits for, the next one asks the server again.
    const turn = (act) => this.#turn(() => (this.#open(term), act()));
    return {
      isOpen: () => this.#core.is_open() && isWhole(this),
      seq: () => this.#core.seq(),
      queued: () => this.#core.queued(),
      underWay: () => this.#core.under_way(),
      flightName: () => this.#core.flight_name(),
      isInDoubt: () => this.#core.is_in_doubt(Date.now()),
      recall: (page) => turn(() => this.#keepStep(call(() => this.#core.recall(page, Date.now())))),
      topics: () => topicsOf(this),
      state: (state, error = null) => {
        if (this.#ended || !this.#online) return;
        this.#state = state;
        // A new try has not gone right yet.
        if (error || state === "online") this.#error = error;
        if (error) this.#emit("error", error);
        this.#tellState();
        this.#changed();
      },
      openExport: (exported, seq) =>
        turn(() => {
          const { level = "", id = "" } = this.under ?? {};
          this.#own.clear(); // what was answered is in the export, and not told again
          return this.#keepStep(call(() => this.#core.open(exported, seq, level, id)));
        }),
      /** Whether it could be done; if not, the copy has to be fetched anew. */
      advance: (changes, seq) =>
        turn(async () => {
          if (this.under && changes.some(({ message }) => isMoved(this, message))) return false;
          try {
            const all = `[${changes.map(({ text }) => text).join()}]`;
            await this.#keepStep(call(() => this.#core.advance(all, seq)));
          } catch (error) {
            if (error.code === "history-expired") return false;
            throw error;
          }
          this.#announce(changes);
          return isWhole(this);
        }),
      takeOff: () =>
        turn(async () => {
          // Writes of other tabs may have been made upon less than is known by now.
          await this.#keepStep(call(() => this.#core.advance("[]", this.#core.seq())));
          await this.#keepStep(call(() => this.#core.take_off(Date.now())));
          return this.#core.under_way() !== undefined;
        }),
      land: (answer) =>
        turn(async () => {
          for (const { level, id, version } of JSON.parse(answer).results) {
            this.#own.add(`${level}/${id}@${version}`);
          }
          await this.#keepStep(call(() => this.#core.land(answer)));
        }),
      turnBack: (problem) => turn(() => this.#keepStep(call(() => this.#core.turn_back(problem)))),
    };
  }

  /** Tells of changes. Those of a commit that is not all here come again if the connection breaks. */
  #announce(messages) {
    const fresh = messages.filter(({ text }) => !this.#early.has(text));
    for (const { message, text } of fresh) this.#early.set(text, message.seq);
    for (const [text, seq] of this.#early) if (seq <= this.#core.seq()) this.#early.delete(text);
    const changes = fresh.map(({ message }) => {
      const { seq, level, context_id, version, by, action, at, patch } = message;
      const mine = this.#own.delete(`${level}/${context_id}@${version}`);
      return { seq, level, context_id, version, by, action, at, patch, mine };
    });
    for (const change of changes) this.#emit("change", change);
    if (changes.length > 0) this.#tabs.tell({ changes });
  }

  #tellState() {
    const { code, message, problem } = this.#error ?? {};
    this.#tabs.tell({ state: this.#state, error: this.#error && { code, message, problem } });
  }

  #fail(error) {
    if (this.#ended) return;
    this.#error = error;
    this.#emit("error", error);
    this.#changed();
  }

  #stamp(topic) {
    if (topic === "all") return {}; // never the same
    return call(() => {
      const { level, id } = topic.context ?? topic.subtree ?? topic.resolved;
      return this.#core.stamp(asText(level), asText(id), topic.subtree !== undefined, topic.resolved !== undefined);
    });
  }

  /** Tells listeners, once all that happens in this turn has happened. */
  #changed() {
    if (this.#telling || this.#ended) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (this.#ended) return;
      for (const subscription of [...this.#topics]) {
        const { topic, listener } = subscription;
        if (this.#ended) return; // by a listener
        const stamp = this.#stamp(topic);
        if (stamp === subscription.stamp || !this.#topics.has(subscription)) continue;
        subscription.stamp = stamp;
        const hash = topic.resolved && { hash: stamp || null };
        this.#tell(listener, { topic, seq: this.#core.seq(), ...hash });
      }
      if (this.#ended) return;
      const { status } = this;
      const said = JSON.stringify([status, status.error?.message]);
      if (said !== this.#said) {
        this.#said = said;
        this.#emit("status", status);
      }
      this.#watchers.forEach((watcher) => watcher());
    });
  }

  #emit(event, detail) {
    const entries = this.#listeners.get(event);
    for (const entry of [...(entries ?? [])]) if (entries.has(entry)) this.#tell(entry.listener, detail);
  }

  /** What a listener throws is the page's to see, and nobody else's. */
  #tell(listener, detail) {
    try {
      listener(detail);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

const closed = () => new NacreError("closed", "the replica is closed");
