// Writes to a replica at random, and notes what the replica tells: one device or tab of the soak.
// Plain JavaScript that Node and a page can load.

import { diced } from "./dice.mjs";

/** Where writes go. Nobody deletes `home` with what is below it, so that its list and notes stay. */
const CONTEXTS = [
  ["global", "global"],
  ["project", "p"],
  ["project", "q"],
  ["branch", "b", "p"],
];
const HOME = { level: "task", context_id: "home" };

/** All that a store of the soak begins with. */
export const BEGINNING = [
  { action: "create", level: "global", context_id: "global", data: { a: "0" } },
  { action: "create", level: "project", context_id: "p", data: { a: "0", o: { x: "0" } } },
  { action: "create", level: "project", context_id: "q", data: {} },
  { action: "create", level: "branch", context_id: "b", parent: "p", data: { a: "0" } },
  { action: "create", ...HOME, parent: "home", create_parents: true, data: { log: [] } },
];

/** How often a refused write is sent again before it is discarded. */
const TRIES = 2;

/** Errors of an act that came too late: the write, the conflict or the tab is gone, or it is being sent. */
const LATE = ["not-found", "invalid-request", "closed"];

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

export class Writer {
  /** `open` opens a replica anew. */
  constructor(name, seed, open) {
    Object.assign(this, { name, open, dice: diced(seed) });
    /** What has happened: `[time, what]`. */
    this.events = [];
    /** Writes that were decided: `{key, kind, context, at, value}`; `value` occurs in no other write. */
    this.written = [];
    /** What was told of each write, by key. */
    this.told = {};
    /** Values of conflicts that were told. */
    this.conflicts = [];
    /** What must not happen. */
    this.faults = [];
    this.tries = new Map();
    this.watchers = new Set();
  }

  async start() {
    this.replica = await this.open();
    this.replica.on("write", ({ key, state, level, id, problem }) => {
      (this.told[key] ??= []).push(state);
      this.note(`${state} ${level}/${id} ${key} ${problem?.code ?? ""}`);
      if (state === "refused" && this.dice(2) === 0) this.decide(key);
    });
    this.replica.on("conflict", (conflict) => {
      this.conflicts.push(JSON.stringify(conflict));
      this.note(`conflict ${conflict.level}/${conflict.context_id} ${conflict.aspect} ${conflict.id}`);
    });
    this.replica.on("error", ({ code, message }) => {
      this.note(`error ${code}: ${message}`);
      if (code === "internal") this.faults.push(`${code}: ${message}`);
    });
    this.replica.on("status", ({ state, queued, refused, conflicts, seq, leader, polling }) => {
      this.note(`${state} ${JSON.stringify({ queued, refused, conflicts, seq, leader, polling })}`);
    });
    for (const event of ["write", "conflict", "status"]) {
      this.replica.on(event, () => this.watchers.forEach((look) => look()));
    }
  }

  note(what) {
    this.events.push([Date.now(), `${this.name} ${what}`]);
  }

  /** Waits for an act that may come too late. */
  async attempt(what, act) {
    try {
      await act();
    } catch (error) {
      this.note(`${what}: ${error.code ?? error}`);
      if (!LATE.includes(error.code)) this.faults.push(`${what}: ${error.stack}`);
    }
  }

  /** Sends a refused write again, or discards it. */
  decide(key) {
    const tries = this.tries.get(key) ?? 0;
    this.tries.set(key, tries + 1);
    const write = this.replica.pending().find((pending) => pending.key === key) ?? key;
    if (tries < TRIES && this.dice(2) === 0) return this.attempt(`retry ${key}`, () => this.replica.retry(write));
    return this.attempt(`discard ${key}`, () => this.replica.discard(write));
  }

  /** Decides one write. The core may refuse it, for it knows what is there. */
  async write(n) {
    const value = `${this.name}${n}`;
    const operations = this.operations(value);
    try {
      const results =
        operations.length > 1 || operations[0].action === "restore"
          ? await this.replica.batch(operations.map(({ kind: _, ...operation }) => operation))
          : [await this.one(operations[0])];
      results.forEach(({ key }, at) => {
        const { action, kind = action, level, context_id } = operations[at];
        const context = `${level}/${context_id}`;
        this.written.push({
          key,
          kind,
          context,
          at: Date.now(),
          value: operations.length > 1 ? `${value}.${at}` : value,
        });
        this.note(`wrote ${kind} ${context} ${key}`);
      });
    } catch (error) {
      this.note(`wrote nothing: ${error.code ?? error}`);
      if (!(error.status < 500)) this.faults.push(`write: ${error.stack}`);
    }
  }

  one({ action, level, context_id: id, pointer, values, patch, parent, pointers, kind: _, ...more }) {
    switch (action) {
      case "append":
        return this.replica.append(level, id, pointer, values);
      case "update":
        return this.replica.update(level, id, patch);
      case "unset":
        return this.replica.unset(level, id, pointers);
      case "delete":
        return this.replica.remove(level, id, more);
      case "move":
        return this.replica.move(level, id, parent);
      case "add_insight":
        return this.replica.addInsight(level, id, more);
      case "add_progress":
        return this.replica.addProgress(level, id, more);
      default:
        return this.replica[action](level, id, { ...more, ...(parent && { parent }) });
    }
  }

  /** What one write consists of: mostly one operation. */
  operations(value) {
    if (this.dice(6) > 0) return [this.operation(value)];
    return [0, 1, 2].slice(0, 2 + this.dice(2)).map((at) => this.operation(`${value}.${at}`));
  }

  operation(value) {
    const { dice } = this;
    const [level, context_id, parent] = CONTEXTS[dice(CONTEXTS.length)];
    const there = { level, context_id };
    const below = parent ? { parent } : {};
    switch (dice(14)) {
      case 0:
        return { action: "create", ...there, ...below, data: { made: value } };
      case 1:
        return { action: "put", ...there, ...below, data: { a: value, o: { x: "1" } } };
      case 2:
        return level === "global" ? this.append(value) : { action: "delete", ...there, cascade: true };
      case 3:
        return { action: "restore", ...there };
      case 4:
        return { action: "move", level: "branch", context_id: "b", parent: ["p", "q"][dice(2)] };
      case 5:
        return { action: "unset", ...there, pointers: [`/o/${["x", "y"][dice(2)]}`] };
      case 6:
        return { action: "update", ...there, patch: [{ op: "add", path: "/list", value: [value] }] };
      case 7:
      case 8:
        return this.append(value);
      case 9:
        return { action: "add_insight", ...HOME, content: value };
      case 10:
        return { action: "add_progress", ...HOME, content: value };
      default:
        return {
          action: "update",
          ...there,
          patch: { [["a", "b", "c"][dice(3)]]: value, o: { [["x", "y"][dice(2)]]: `${value}o` } },
        };
    }
  }

  append = (value) => ({ action: "append", ...HOME, pointer: "/log", values: [value] });

  /** Makes the writes from one number up to another, while the network is what it is and the user does
   * what users do. */
  async storm(from, upto) {
    const { dice } = this;
    const under = [];
    for (let n = from; n < upto; n++) {
      under.push(this.write(n));
      if (dice(3) > 0) await under.at(-1);
      const chance = dice(12);
      if (chance < 3) this.wake();
      if (chance === 3 && this.reopen) {
        await Promise.all(under); // of a write that meets the end nobody could say whether it counts
        await this.reopen();
        this.wasAway = true;
      }
      if (chance === 4) {
        this.replica.online = false;
        this.replica.online = true;
      }
      await pause(dice(80));
    }
    await Promise.all(under);
  }

  /** The host is back on a network, as far as it knows. */
  wake() {
    if (typeof document === "object") {
      dispatchEvent(new Event("online"));
    } else {
      // Node has no such event. The switch does as much, and breaks off what is under way.
      this.replica.online = false;
      this.replica.online = true;
    }
  }

  /** The network is well, and the host says so. */
  reconnect() {
    this.replica.online = true; // tabs may have switched each other to and fro
    this.wake();
  }

  /** Whether nothing waits for the server or for the user, and all up to `seq` is here. */
  isSettled(seq = 0) {
    const { status } = this.replica;
    return (
      status.state === "online" &&
      status.queued + status.refused + status.conflicts + this.replica.pending().length === 0 &&
      status.seq >= seq
    );
  }

  /** Waits until it is settled, and decides meanwhile what waits for the user. */
  settled(seq) {
    return new Promise((resolve) => {
      const busy = new Set();
      const once = async (id, act) => {
        if (busy.has(id)) return;
        busy.add(id);
        await act();
        busy.delete(id);
        look();
      };
      const look = () => {
        if (this.isSettled(seq)) {
          this.watchers.delete(look);
          return resolve();
        }
        for (const { key, state } of this.replica.pending()) {
          if (state === "refused") once(key, () => this.decide(key));
        }
        for (const { id } of this.replica.conflicts()) {
          const choice = this.dice(3) === 0 ? "mine" : "theirs";
          once(id, () => this.attempt(`settle ${id} ${choice}`, () => this.settle(id, choice)));
        }
      };
      this.watchers.add(look);
      look();
    });
  }

  /** Settles a conflict; where mine cannot be written any more, theirs stays. */
  async settle(id, choice) {
    try {
      await this.replica.settle(id, choice);
    } catch (error) {
      if (choice === "theirs" || !(error.status < 500)) throw error;
      await this.replica.settle(id, "theirs");
    }
  }

  /** All that it shows. */
  shown() {
    const views = this.replica.list().items.map(({ level, id }) => ({
      level,
      id,
      text: this.replica.resolveText(level, id),
      view: this.replica.resolve(level, id),
    }));
    const notes = (kind) => this.replica[kind](HOME.level, HOME.context_id, { limit: 200 }).items;
    return { views, insights: notes("insights"), progress: notes("progress"), error: this.replica.status.error?.code };
  }

  /** What has happened so far. */
  report() {
    const { name, wasAway = false, events, written, told, conflicts, faults } = this;
    return { name, wasAway, events, written, told, conflicts, faults, status: JSON.stringify(this.replica?.status) };
  }
}
