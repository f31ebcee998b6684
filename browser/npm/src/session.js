// The leader's conversation with the server, from one connection to the next.
//
//   flight left over? send it again (too old? ask what became of it) ─▶ no copy? fetch it ─▶ socket: subscribe since, mark
//   ┌▶ changes: take in ─▶ queue: take off, send, land or turn back, mark ─┐
//   └──────────────────────────────────────────────────────────────────────┘
//
// A *mark* is a subscription whose confirmation comes after every change that was made before it:
// then the copy is as far as the confirmation says. Changes wait while a flight is under way, for
// its outcome is not known.

import { NacreError } from "./error.js";

const GLOBAL = { level: "global", id: "global" };
const SLOWEST = 30_000;
/** What is longer no timer can wait. */
const LONGEST = 2 ** 31 - 1;
/** A connection that says nothing for so long is asked whether it is there. */
const QUIET = 25_000;

export class Session {
  #replica;
  #server;
  #stop = new AbortController();
  #wake = () => {};
  #fails = 0;

  /** `replica` gives the core's steps: see `Steps` in replica.js. */
  constructor(replica, server) {
    this.#replica = replica;
    this.#server = server;
    this.#run();
  }

  /** There may be something to do. */
  kick() {
    this.#wake();
  }

  stop() {
    this.#stop.abort(new NacreError("closed", "the replica was closed or switched off"));
    this.#wake();
  }

  /** A session that was stopped has no say any more. */
  #state(state, error) {
    if (!this.#stop.signal.aborted) this.#replica.state(state, error);
  }

  async #run() {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#state("syncing");
      const connection = new AbortController();
      const end = () => connection.abort(signal.reason);
      signal.addEventListener("abort", end);
      try {
        await this.#converse(connection);
      } catch (error) {
        if (signal.aborted) break;
        this.#state("offline", error);
        if (!signal.aborted) await this.#pause(error); // who is told may stop it
      } finally {
        signal.removeEventListener("abort", end);
        connection.abort(unreachable());
      }
    }
  }

  /** Waits before the next try: longer each time, and not past the moment the network comes back. */
  async #pause(error) {
    const usual = Math.min(SLOWEST, 250 * 2 ** this.#fails++) * (0.75 + Math.random() / 2);
    const time = error.retryAfter ? Math.min(error.retryAfter * 1000, LONGEST) : usual;
    const over = new AbortController();
    const { signal } = over; // takes the listeners away: there may be many a pause until the network is back
    let timer;
    await new Promise((resolve) => {
      timer = setTimeout(resolve, time);
      // A new write is no reason to try at once, while nothing says that the network is back.
      const back = () => (this.#fails = 0, resolve());
      globalThis.addEventListener?.("online", back, { signal });
      this.#stop.signal.addEventListener("abort", resolve, { signal });
    });
    clearTimeout(timer);
    over.abort();
  }

  /** One connection, to its end. */
  async #converse(connection) {
    const { signal } = connection;
    const replica = this.#replica;
    if (replica.underWay()) await this.#fly(signal);
    if (!replica.isOpen()) await this.#fetchAll(signal);

    let mark = 0; // the number of the last one that was asked for
    const inbox = { changes: [], marked: undefined, resync: false, quietSince: Date.now(), asked: false };
    const receive = (message, text) => {
      inbox.quietSince = Date.now();
      inbox.asked = false;
      const isMark = message.id?.startsWith("m");
      if (message.type === "change" && !isMark) inbox.changes.push({ message, text });
      else if (message.type === "subscribed" && message.id === `m${mark}`) inbox.marked = message.seq;
      else if (message.type === "resync") inbox.resync = true;
      else if (message.type === "error" && message.id !== undefined && message.code !== "not-found") {
        connection.abort(new NacreError(message.code, message.detail, { problem: message }));
      }
      this.#wake();
    };
    const socket = await this.#server.connect(receive, () => connection.abort(unreachable()), signal);
    const say = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
    const setMark = () => {
      inbox.marked = undefined;
      if (mark > 0) say({ type: "unsubscribe", id: `m${mark}` });
      say({ type: "subscribe", id: `m${++mark}`, topic: { context: GLOBAL } });
    };
    let told = [];
    const listen = () => {
      const topics = replica.topics();
      topics.forEach((topic, at) => {
        say({ type: "subscribe", id: `t${at}`, topic, since: replica.seq() });
      });
      for (let at = topics.length; at < told.length; at++) say({ type: "unsubscribe", id: `t${at}` });
      told = topics;
      setMark();
    };
    const beginAnew = async () => {
      await this.#fetchAll(signal);
      listen();
    };
    listen();

    signal.addEventListener("abort", () => this.#wake());
    let atRest = false;
    let waiting = 0; // changes that are here, and not taken in yet
    while (!signal.aborted) {
      const woken = new Promise((resolve) => (this.#wake = resolve));
      if (inbox.resync) {
        inbox.resync = false;
        await beginAnew();
      }
      const { marked } = inbox;
      // One commit may be several messages: without a mark the last may not be all there.
      const last = inbox.changes.at(-1)?.message.seq ?? 0;
      const isWhole = marked !== undefined && marked >= last;
      // While writes wait it waits as well: it may be the one that they follow.
      const waits = ({ message }) => !isWhole && message.seq === last && replica.queued() > 0;
      const changes = inbox.changes.filter((change) => !waits(change));
      const waited = waiting;
      inbox.changes = inbox.changes.filter(waits);
      waiting = inbox.changes.length;
      if (changes.length > 0 || waiting !== waited || marked !== undefined) {
        const seq = Math.max(marked ?? replica.seq(), last - 1);
        const isTaken = await replica.advance(changes, seq);
        // Where it stands now, others above may have to be listened to.
        if (!isTaken || JSON.stringify(replica.topics()) !== JSON.stringify(told)) {
          await beginAnew();
        } else if (isWhole) {
          inbox.marked = undefined;
          atRest = true;
          this.#fails = 0;
        } else {
          setMark();
          atRest = false;
        }
        if (inbox.changes.length > waiting) continue;
      }
      if (atRest && replica.queued() > 0) {
        this.#state("syncing");
        if (await replica.takeOff()) {
          await this.#fly(signal);
          setMark();
          atRest = false;
        }
        if (inbox.changes.length > 0 || inbox.marked !== undefined) continue;
      }
      if (atRest) this.#state("online");
      if (signal.aborted) break;
      const quiet = setTimeout(() => this.#wake(), QUIET);
      await woken;
      clearTimeout(quiet);
      // Either way: a clock can be set back.
      if (Math.abs(Date.now() - inbox.quietSince) >= QUIET) {
        if (inbox.asked) connection.abort(unreachable());
        inbox.quietSince = Date.now();
        inbox.asked = true;
        say({ type: "ping" });
      }
    }
    throw signal.reason;
  }

  async #fetchAll(signal) {
    const { seq, bytes } = await this.#server.export(signal);
    await this.#replica.openExport(bytes, seq);
  }

  /** Sends what is under way, until it is known what became of it. */
  async #fly(signal) {
    const replica = this.#replica;
    for (let cursor = null; replica.isInDoubt(); ) {
      const page = await this.#server.audit(cursor, signal);
      await replica.recall(page);
      cursor = JSON.parse(page)?.next_cursor ?? null;
    }
    const body = replica.underWay();
    if (body === undefined) return this.#fetchAll(signal);
    const { landed, refused } = await this.#server.batch(body, replica.flightName(), signal, () => {
      if (replica.isInDoubt()) throw unreachable();
    });
    if (landed !== undefined) await replica.land(landed);
    else await replica.turnBack(refused);
    this.#fails = 0;
  }
}

const unreachable = () => new NacreError("unavailable", "the connection to the server has ended");
