// The other tabs with the same replica. One of them, the leader, talks to the server.
//
// Where the host has Web Locks, the holder of the lock leads; elsewhere (an origin without TLS has
// none) the last one to claim it. A page that is stopped keeps its lock and does nothing, so the
// others ask whether the leader is there, and one takes over when it does not answer. Every claim has
// a number, its *term*, which is kept beside the copy: a leader that wakes up late can change nothing,
// as the storage refuses the commits of an earlier term.

import type { Problem, Status } from "../index.js";
import type { Told } from "./parts.ts";

/** An error on its way to another tab. */
export interface PostedError {
  code: string;
  message: string;
  problem: Problem | undefined;
}

/** What a tab asks of the leader. */
export interface Request {
  id: string;
  act: "retry" | "discard";
  /** The key of the write. */
  key: string;
}

/** What one tab tells the others. Tabs may run different versions of this package, so members are
 * only ever added. */
export interface TabMessage extends Told {
  /** A tab has opened, and wants to know how things stand. */
  hello?: boolean;
  /** Whether there is a leader; the leader's answer, which is its term; and that it has left. */
  ask?: boolean;
  leads?: number;
  left?: boolean;
  /** The copy was erased from this device. */
  erased?: boolean;
  /** The switch was set. */
  online?: boolean;
  /** The leader's state, and its error if there is one. */
  state?: Status["state"];
  error?: PostedError | null;
  polling?: boolean;
  /** A request to the leader, and its reply. */
  request?: Request;
  reply?: { id: string; error: PostedError | null };
  /** A commit: its number, its entries, the writes it queued, and whether it replaced the copy. */
  revision?: number;
  packed?: Uint8Array;
  places?: Uint8Array;
  anew?: boolean;
}

export interface Tabs {
  tell(message: TabMessage): void;
  /** Another tab has claimed the lead. */
  stepDown(): void;
  /** Leaves; the channel is closed once `last` has ended. */
  leave(last: Promise<unknown>): void;
}

/** What a tab does about the lead. */
export interface Lead {
  /** Gives the next term, which is this tab's from now on. */
  claim(): Promise<number>;
  begin(): void;
  end(): void;
}

/** How many milliseconds the leader has to answer, and how many answers may be missing. */
const BEAT = 1000;
const MISSES = 3;
/** The same for a first answer where there are no locks: to begin with there may be no leader. */
const FIRST_BEAT = 100;

/** Joins the tabs. `receive` gets their messages. */
export function joinTabs(name: string, receive: (message: TabMessage) => void, lead: Lead): Tabs {
  // Not every host has them or allows them, whatever the DOM's types say.
  let locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  const channel = channelOf(name);
  let isLeft = false;
  /** The term of this tab while it leads. */
  let term = 0;
  let [beat, missed] = [locks || !channel ? BEAT : FIRST_BEAT, 0];
  /** Whether the lock was asked for by force, and no leader has been heard of since. */
  let isForced = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting = new AbortController();
  let release = (): void => {};
  const tell = (message: TabMessage): void => channel?.postMessage(message);

  const begin = async (): Promise<void> => {
    clearTimeout(timer);
    const claimed = await lead.claim();
    if (isLeft) return;
    term = claimed;
    tell({ leads: term });
    lead.begin();
  };
  const claim = (): void => void begin().catch(ask); // what could not be kept is tried again
  const request = (options: LockOptions): void => {
    const held = (): Promise<void> | undefined =>
      isLeft ? undefined : new Promise((resolve) => ((release = resolve), claim()));
    locks?.request(name, options, held).catch((error: unknown) => {
      if (isLeft || options.signal?.aborted) return;
      if ((error as Error).name === "AbortError") return stepDown(); // another tab has taken it
      locks = undefined;
      beat = FIRST_BEAT;
    });
  };
  const wait = (): void => {
    [missed, isForced] = [0, false];
    waiting = new AbortController();
    request({ signal: waiting.signal });
    ask();
  };
  const ask = (): void => {
    clearTimeout(timer);
    if (isLeft) return;
    tell({ ask: true });
    timer = setTimeout(() => {
      if (term > 0) return;
      missed += 1;
      if (missed < MISSES) return ask();
      missed = 0;
      waiting.abort();
      // A lock that does not come even so is none.
      if (!locks || isForced) return claim();
      isForced = true;
      request({ steal: true });
      ask();
    }, beat);
  };
  const stepDown = (): void => {
    if (term === 0 || isLeft) return;
    term = 0;
    release();
    lead.end();
    wait();
  };

  channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => {
    const { ask: isAsked, leads = 0, left } = data;
    if (term > 0 && leads > term) stepDown();
    else if (term > 0 && (isAsked || leads > 0)) tell({ leads: term });
    else if (leads > 0) [beat, missed, isForced] = [BEAT, 0, false];
    else if (left && !locks && term === 0) {
      [beat, missed] = [FIRST_BEAT, MISSES - 1];
      ask();
    }
    receive(data);
  });
  channel?.unref?.(); // otherwise Node waits for it
  if (channel) wait();
  else claim();
  return {
    tell,
    stepDown,
    leave(last) {
      if (term > 0) tell({ left: true });
      isLeft = true;
      clearTimeout(timer);
      waiting.abort();
      release();
      last.then(() => channel?.close());
    },
  };
}

function channelOf(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined; // the host has none, or does not allow it
  }
}
