// The leader's connection to the server, as states and what follows: `next` decides, `loop` acts.
//
//          ┌── failed, lost ── (from anywhere)
//          ▼
//   pause ─┬─ a batch left over? ─▶ recall ─▶ send ─┐
//          ├─ no copy? ───────────▶ fetch ──────────┤
//          └────────────────────────────────────────┴─▶ connect ─▶ rest
//
//   rest ──▶ advance ─▶ rest      changes have come
//   rest ──▶ fetch ───▶ rest      the copy must be fetched anew
//   rest ──▶ take-off ▶ send ─▶ rest      writes are queued, and the copy is up to date
//
// Where no socket comes about though the server answers requests, it is polled for its seq: from time
// to time, and before writes are sent. When the seq is not the copy's, the copy is fetched anew.
//
//   connect ──▶ rest ──▶ poll ─┬─▶ fetch ───────────────────▶ rest
//                              └─▶ take-off ▶ send ─▶ fetch ─▶ rest
//
// One job runs at a time; `lost` is remembered until it has ended. A *mark* is a subscription that
// the server confirms after every earlier change: then the copy is as far as the confirmation says.
// Changes wait while a batch is being sent, for its outcome is not known.

import type { Problem } from "../index.js";
import { NacreError } from "./error.ts";
import { GLOBAL, type ServerTopic } from "./scope.ts";
import type { ChangeMessage, EntryMessage, LiveMessage } from "./server.ts";

/** A change or an entry that the server announced, and its text: a number may have more digits than JavaScript holds. */
export interface Announced {
  readonly message: ChangeMessage | EntryMessage;
  readonly text: string;
}

/** How the copy stands at the moment of an event. */
export interface CopyState {
  /** Whether it holds all that it is meant to hold. */
  readonly isOpen: boolean;
  readonly seq: number;
  /** How many writes are not with the server. */
  readonly queued: number;
  /** Whether a batch is under way, and whether its fate must be looked up before it is sent again. */
  readonly isFlying: boolean;
  readonly isInDoubt: boolean;
  /** The topics that cover it. */
  readonly topics: readonly ServerTopic[];
}

/** What happened. */
export type Event =
  | { type: "kicked" } // there may be writes to send
  | { type: "timer" }
  | { type: "network" } // the host is back on a network
  | { type: "message"; message: LiveMessage; text: string }
  | { type: "lost"; error: NacreError } // the socket has closed
  // How a job ended.
  | { type: "recalled"; cursor: string | null } // the audit trail's next page
  | { type: "sent" }
  | { type: "fetched" }
  | { type: "connected" }
  | { type: "polled"; seq: number } // there may be no socket, but the server has answered
  | { type: "advanced"; isTaken: boolean } // false: the copy must be fetched anew
  | { type: "taken off" }
  | { type: "failed"; error: NacreError };

/** What happened, and all that decides what follows. `chance` is from 0 to 1, `now` in ms. */
export interface Input {
  readonly event: Event;
  readonly copy: CopyState;
  readonly now: number;
  readonly chance: number;
}

/** A job, which ends with one event. */
export type Job =
  | { do: "recall"; cursor: string | null } // look a batch up in the audit trail
  | { do: "send" } // send the batch, until its outcome is known
  | { do: "fetch" } // replace the copy by an export
  | { do: "connect" }
  | { do: "poll" }
  | { do: "advance"; changes: readonly Announced[]; seq: number }
  | { do: "take-off" }; // make a batch of queued writes

/** What to do at once. */
export type Effect =
  | Job
  | { do: "say"; message: object }
  | { do: "tell"; state: "offline" | "syncing" | "online"; error: NacreError | null; polling?: true }
  | { do: "wake"; after: number } // a `timer` after so many ms, in place of the last one
  | { do: "close"; error: NacreError }; // the socket, and whatever a job waits for

/** The socket, and what has come over it. */
export interface Link {
  readonly openedAt: number;
  /** The number of the last mark that was asked for, and where it was if that is known. */
  readonly mark: number;
  readonly marked: number | null;
  /** The topics that are subscribed to. */
  readonly topics: readonly ServerTopic[];
  readonly changes: readonly Announced[];
  /** How many of `changes` wait, for they may be parts of a commit that is not all here. */
  readonly waiting: number;
  /** Whether the advance under way reaches the mark. */
  readonly isWhole: boolean;
  /** Whether all up to the last mark is taken in, so that writes may be sent. */
  readonly atRest: boolean;
  /** The server has asked for a fetch. */
  readonly resync: boolean;
  /** When something was last heard, whether anything was, and whether the server was asked since. */
  readonly heardAt: number;
  readonly isHeard: boolean;
  readonly isAsked: boolean;
}

export interface State {
  /** The job under way, if it is not time to `pause` or to `rest`. */
  readonly doing: "pause" | "rest" | Job["do"];
  /** How many tries have failed since a connection has lasted a while. */
  readonly fails: number;
  /** Whether the last try failed because of the token: until another one is accepted, that is what is told. */
  readonly isRefused: boolean;
  /** Whether the host came back on a network while a job was under way: what the job meets, another
   * one would not. */
  readonly isBack: boolean;
  /** While the server is polled, and until a socket carries something: when one was tried last, and
   * how many times. */
  readonly polling: { readonly triedAt: number; readonly tries: number } | null;
  readonly link: Link | null;
  /** Why the connection ended while a job was under way. */
  readonly lost: NacreError | null;
}

type Next = [State, Effect[]];

/** The longest pause that is chosen here; a server may ask for a longer one. */
const SLOWEST = 30_000;
/** No timer can wait longer. */
const LONGEST = 2 ** 31 - 1;
/** A connection that has lasted for so long ends the row of failures. One that is confirmed and cut
 * again and again does not: each pause is longer. */
const LASTING = 10_000;
/** A connection that is silent for so long is asked whether it is there. */
const QUIET = 25_000;
/** A socket over which nothing has come by then carries nothing: some networks let it open only. */
const MUTE = 5_000;
/** How often the server is polled. A socket is tried again as soon, then less and less often. */
const POLL = 5_000;
const RAREST = 60_000;

/** The first state, which a `timer` event starts. */
export const start: State = {
  doing: "pause",
  fails: 0,
  isRefused: false,
  isBack: false,
  polling: null,
  link: null,
  lost: null,
};

/** The reason for which a connection ends by itself. */
export const unreachable = (): NacreError => new NacreError("unavailable", "the connection to the server has ended");

/** What follows from an event. */
export function next(state: State, input: Input): Next {
  const { event, copy, now } = input;
  switch (event.type) {
    case "network":
      if (state.doing === "rest" && state.polling && !state.link) return job(state, { do: "connect" });
      if (state.doing === "pause") return begin({ ...state, fails: 0 }, copy);
      return [{ ...state, isBack: state.doing !== "rest" }, []];
    case "timer":
    case "kicked":
      // A new write is no reason to end a pause: nothing says that the network is back.
      if (state.doing === "pause") return event.type === "timer" ? begin(state, copy) : [state, []];
      if (state.doing !== "rest") return [state, []];
      if (state.link) return look(state, state.link, input);
      return state.polling ? poll(state, state.polling, input) : [state, []];
    case "message":
      return state.link ? receive(state, state.link, event, input) : [state, []];
    case "lost":
      return lose(state, event.error, input);
    case "failed":
      return pause(state, event.error, input);
  }
  // A job has ended.
  // The end of a flight is progress, even before there is a socket.
  const isBack = state.isBack && !state.link;
  const isOver = event.type === "sent" || (event.type === "recalled" && !copy.isFlying);
  const ended = { ...state, isBack, fails: isOver && !state.link ? 0 : state.fails };
  if (state.lost) return pause({ ...ended, isBack: state.isBack }, state.lost, input);
  switch (event.type) {
    case "recalled":
      return fly(ended, copy, event.cursor);
    case "sent":
      if (ended.polling) return job(ended, { do: "fetch" });
      if (!ended.link) return copy.isOpen ? job(ended, { do: "connect" }) : job(ended, { do: "fetch" });
      return after(setMark(ended.link), ended, copy);
    case "fetched":
      if (ended.polling) return polled(ended, copy);
      return ended.link ? after(listen(ended.link, copy), ended, copy) : job(ended, { do: "connect" });
    case "connected":
      return after(listen(newLink(now), copy), { ...ended, isBack: false }, copy);
    case "polled": {
      if (isBack) return job({ ...ended, isBack: false }, { do: "connect" });
      const then = state.doing === "connect" ? { ...ended, polling: triedAgain(state, now) } : ended;
      return event.seq === copy.seq ? polled(then, copy) : job(then, { do: "fetch" });
    }
    case "advanced":
      return ended.link ? advanced(ended, ended.link, event.isTaken, copy) : [ended, []];
    case "taken off":
      if (copy.isFlying) return fly(ended, copy, null);
      if (ended.polling) return restPolling(ended);
      if (!ended.link) return [ended, []];
      if (ended.link.changes.length > 0 || ended.link.marked !== null) return proceed(ended, ended.link, copy);
      return rest(ended, ended.link);
  }
}

/** Whether the topics that cover the copy are not those subscribed to: a context may have moved. */
const hasMoved = (link: Link, copy: CopyState): boolean => JSON.stringify(copy.topics) !== JSON.stringify(link.topics);

// ─── From the start to a socket ──────────────────────────────────────────────────────────────────

function begin(state: State, copy: CopyState): Next {
  const [then, effects] = copy.isFlying
    ? fly(state, copy, null)
    : job(state, copy.isOpen ? { do: "connect" } : { do: "fetch" });
  return [then, state.isRefused ? effects : [{ do: "tell", state: "syncing", error: null }, ...effects]];
}

/** Sends the batch under way, once it is known that it may be sent again. */
function fly(state: State, copy: CopyState, cursor: string | null): Next {
  if (copy.isInDoubt) return job(state, { do: "recall", cursor });
  return job(state, copy.isFlying ? { do: "send" } : { do: "fetch" });
}

function job(state: State, effect: Job, link = state.link): Next {
  return [{ ...state, doing: effect.do, link }, [effect]];
}

function lose(state: State, error: NacreError, input: Input): Next {
  if (state.doing === "pause") return [state, []];
  if (state.doing === "rest") return pause(state, error, input);
  return [{ ...state, lost: state.lost ?? error }, [{ do: "close", error }]];
}

/** Waits before the next try: longer each time, unless the server says how long. */
function pause(state: State, error: NacreError, { copy, now, chance }: Input): Next {
  const fails = state.link && now - state.link.openedAt >= LASTING ? 0 : state.fails;
  const isRefused = error.code === "unauthenticated";
  const paused: State = {
    doing: "pause",
    fails: fails + 1,
    isRefused,
    isBack: false,
    polling: null,
    link: null,
    lost: null,
  };
  const close: Effect = { do: "close", error: unreachable() };
  // A token that has expired is no failure yet: another one is asked for at once.
  if (isRefused && state.link && fails === 0) {
    const [then, effects] = begin({ ...paused, isRefused: false }, copy);
    return [then, [close, ...effects]];
  }
  if (state.isBack && error.code === "unavailable") {
    const [then, effects] = begin({ ...paused, fails: 0 }, copy);
    return [then, [close, ...effects]];
  }
  const usual = Math.min(SLOWEST, 250 * 2 ** fails) * (0.75 + chance / 2);
  const time = error.retryAfter ? Math.min(error.retryAfter * 1000, LONGEST) : usual;
  return [paused, [close, { do: "tell", state: "offline", error }, { do: "wake", after: time }]];
}

// ─── Without a socket ────────────────────────────────────────────────────────────────────────────

const triedAgain = ({ polling }: State, now: number): State["polling"] => ({
  triedAt: now,
  tries: (polling?.tries ?? 0) + 1,
});

/** Polls when it is time, or when there are writes to send. */
function poll(state: State, { triedAt, tries }: NonNullable<State["polling"]>, { event, copy, now }: Input): Next {
  if (event.type === "kicked") return copy.queued > 0 ? job(state, { do: "poll" }) : [state, []];
  // A clock can be set back.
  const isTime = Math.abs(now - triedAt) >= Math.min(RAREST, POLL * 2 ** (tries - 1));
  return job(state, { do: isTime ? "connect" : "poll" });
}

/** The copy is as far as the server: sends what is queued, else rests. */
function polled(state: State, { queued }: CopyState): Next {
  if (queued === 0) return restPolling(state);
  const [then, effects] = job(state, { do: "take-off" });
  return [then, [{ do: "tell", state: "syncing", error: null, polling: true }, ...effects]];
}

function restPolling(state: State): Next {
  if (state.isBack) return job({ ...state, isBack: false }, { do: "connect" });
  const effects: Effect[] = [
    { do: "tell", state: "online", error: null, polling: true },
    { do: "wake", after: POLL },
  ];
  return [{ ...state, doing: "rest", fails: 0 }, effects];
}

// ─── On the socket ───────────────────────────────────────────────────────────────────────────────

const newLink = (now: number): Link => ({
  openedAt: now,
  mark: 0,
  marked: null,
  topics: [],
  changes: [],
  waiting: 0,
  isWhole: false,
  atRest: false,
  resync: false,
  heardAt: now,
  isHeard: false,
  isAsked: false,
});

/** Asks for the next mark. */
function setMark(link: Link): [Link, Effect[]] {
  const mark = link.mark + 1;
  const effects: Effect[] = [];
  if (link.mark > 0) effects.push({ do: "say", message: { type: "unsubscribe", id: `m${link.mark}` } });
  effects.push({ do: "say", message: { type: "subscribe", id: `m${mark}`, topic: { context: GLOBAL } } });
  return [{ ...link, mark, marked: null, atRest: false }, effects];
}

/** Subscribes to what covers the copy, in place of what did, and asks for a mark. */
function listen(link: Link, { topics, seq }: CopyState): [Link, Effect[]] {
  const messages: object[] = topics.map((topic, at) => ({ type: "subscribe", id: `t${at}`, topic, since: seq }));
  for (let at = topics.length; at < link.topics.length; at++) messages.push({ type: "unsubscribe", id: `t${at}` });
  const [marked, effects] = setMark({ ...link, topics });
  return [marked, [...messages.map((message): Effect => ({ do: "say", message })), ...effects]];
}

/** Goes on with a link, after some effects. */
function after([link, effects]: [Link, Effect[]], state: State, copy: CopyState): Next {
  const [then, more] = proceed({ ...state, link }, link, copy);
  return [then, [...effects, ...more]];
}

function receive(state: State, link: Link, { message, text }: Event & { type: "message" }, input: Input): Next {
  const heard = take({ ...link, heardAt: input.now, isHeard: true, isAsked: false }, message, text);
  const then = { ...state, polling: null, link: heard };
  if (message.type === "error" && message.id !== undefined && message.code !== "not-found") {
    const problem: Problem = message;
    return lose(then, new NacreError(message.code, message.detail, { problem }), input);
  }
  return state.doing === "rest" ? proceed(then, heard, input.copy) : [then, []];
}

/** The link with what a message says. */
function take(link: Link, message: LiveMessage, text: string): Link {
  switch (message.type) {
    case "change":
    case "entry": // not for a mark's topic: another subscription tells the same
      return message.id.startsWith("m") ? link : { ...link, changes: [...link.changes, { message, text }] };
    case "subscribed":
      return message.id === `m${link.mark}` ? { ...link, marked: message.seq } : link;
    case "resync":
      return { ...link, resync: true };
    default:
      return link;
  }
}

/** Looks whether there is something to do, and whether the server is still there. */
function look(state: State, link: Link, input: Input): Next {
  const { now, copy } = input;
  // A clock can be set back.
  const silence = Math.abs(now - link.heardAt);
  if (!link.isHeard && silence >= MUTE) {
    const [then, effects] = job({ ...state, polling: triedAgain(state, now) }, { do: "poll" }, null);
    return [then, [{ do: "close", error: unreachable() }, ...effects]];
  }
  if (silence < QUIET) return proceed(state, link, copy);
  if (link.isAsked) return pause(state, unreachable(), input);
  const asked = { ...link, heardAt: now, isAsked: true };
  return after([asked, [{ do: "say", message: { type: "ping" } }]], state, copy);
}

/** Takes in what has come; else sends what is queued; else rests. */
function proceed(state: State, link: Link, copy: CopyState): Next {
  if (link.resync) return job(state, { do: "fetch" }, { ...link, resync: false });
  // One commit may be several messages. Only a mark says that its last message is here.
  const last = link.changes.at(-1)?.message.seq ?? 0;
  const isWhole = link.marked !== null && link.marked >= last;
  // While writes are queued the last commit waits as well: they may follow it.
  const waits = ({ message }: Announced): boolean => !isWhole && message.seq === last && copy.queued > 0;
  const changes = link.changes.filter((change) => !waits(change));
  const waiting = link.changes.filter(waits);
  if (changes.length === 0 && waiting.length === link.waiting && link.marked === null) {
    return takeOff(state, link, copy);
  }
  const seq = Math.max(link.marked ?? copy.seq, last - 1);
  // A mark that is older than the last change is of no more use.
  const then = { ...link, changes: waiting, waiting: waiting.length, isWhole, marked: isWhole ? link.marked : null };
  return job(state, { do: "advance", changes, seq }, then);
}

function advanced(state: State, link: Link, isTaken: boolean, copy: CopyState): Next {
  if (!isTaken || hasMoved(link, copy)) return job(state, { do: "fetch" });
  if (link.isWhole) return after([{ ...link, marked: null, atRest: true }, []], state, copy);
  // A mark that came in the meantime says as much as a new one would.
  if (link.marked !== null) return after([{ ...link, atRest: false }, []], state, copy);
  return after(setMark(link), state, copy);
}

function takeOff(state: State, link: Link, copy: CopyState): Next {
  if (!link.atRest || copy.queued === 0) return rest(state, link);
  const [then, effects] = job(state, { do: "take-off" });
  return [then, [{ do: "tell", state: "syncing", error: null }, ...effects]];
}

function rest(state: State, link: Link): Next {
  const effects: Effect[] = [{ do: "wake", after: link.isHeard ? QUIET : MUTE }];
  if (link.atRest) effects.unshift({ do: "tell", state: "online", error: null });
  return [{ ...state, doing: "rest", link }, effects];
}
