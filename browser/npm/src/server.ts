// The server: requests and the socket. Their meaning is decided elsewhere.

import type { ChangeEvent, DeletedContext, EntryEvent, Level, OpenOptions, Problem, WriteOptions } from "../index.js";
import { json } from "./core.ts";
import { NacreError, hasCode, refused, unauthenticated } from "./error.ts";
import { type Commit, deletedIn } from "./trail.ts";

/** A change as the server announces it. */
export interface ChangeMessage extends Omit<ChangeEvent, "mine"> {
  type: "change";
  id: string;
  parent?: string | null;
}

/** An insight or a progress note as the server announces it. */
export interface EntryMessage extends Pick<EntryEvent, "seq" | "level" | "context_id" | "entry"> {
  type: "entry";
  id: string;
  action: "add_insight" | "add_progress";
}

/** A message of the socket, as far as a replica looks at it (see `docs/live.md`). */
export type LiveMessage =
  | ChangeMessage
  | EntryMessage
  | { type: "subscribed"; id: string; seq: number }
  | { type: "resync"; id: string; seq: number }
  | { type: "error"; id?: string; code: string; detail: string; status: number; title: string }
  | { type: "pong" };

/** What became of a batch: the text of its reply, or that of the problem. `unsaid` says nothing about its
 * writes, but may come from what they hold. */
export type Outcome = { landed: string } | { refused: string } | { unsaid: string; error: NacreError };

interface Asked {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal | undefined;
  /** Called when there is a token, just before the request; may throw to stop it. */
  before?: () => void;
}

/** How many milliseconds an answer may take to begin; a large request has more. Some networks swallow
 * one, or its answer, and nothing ever says so. */
const PATIENCE = 8000;

/** How many milliseconds a socket may take to open. Some networks swallow what would open it. */
const HANDSHAKE = 5000;

/** A browser does not say which of these it was. */
const UNREACHABLE = "no reply from `url`: check it, the network, and the server's `NACRE_CORS_ORIGINS`";
const unreachable = (cause?: unknown): NacreError => new NacreError("unavailable", UNREACHABLE, { cause });

/** What is asked of the server, with the error of a network that breaks off; not if it was ended here. */
const reached = <T>(answer: Promise<T>, signal?: AbortSignal | undefined): Promise<T> =>
  answer.catch((cause: unknown) => {
    throw signal?.aborted ? cause : unreachable(cause);
  });

const expired = (): NacreError => unauthenticated("the token has expired");

/** A proxy or a login page has answered in place of the server. */
const notTheServer = ({ url, status, headers }: Response): NacreError =>
  new NacreError(
    "unavailable",
    `\`url\` must lead to a Nacre server: ${url} answered ${status} with ${headers.get("content-type")}`,
  );

/** The user that a token names. Nothing is verified; the server does that. */
export function userOf(token: string): string {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { sub } = json<{ sub: unknown }>(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0)));
    if (typeof sub === "string" && sub) return sub;
  } catch {
    // The error below says it.
  }
  throw unauthenticated("`token` must be a JWT with a user in `sub`, or a function that gives one");
}

export class Server {
  /** Whose store it is, once that is known. */
  user: string | undefined;
  readonly #url: URL;
  readonly #source: OpenOptions["token"];
  #token: string | undefined;
  /** A token that has expired: it is not shown again. */
  #expired: string | null = null;
  /** Whether the last request was refused for its token. */
  #isRefused = false;

  constructor(url: URL, source: OpenOptions["token"]) {
    this.#url = url;
    this.#source = source;
  }

  /** The token; `anew` asks for another one, if there is a function to ask. */
  async token(anew = false): Promise<string> {
    const token = await this.#given(anew);
    if (token !== this.#expired) return token;
    this.#token = undefined; // the next try asks for another one
    throw expired();
  }

  async #given(anew: boolean): Promise<string> {
    if (typeof this.#source !== "function") return this.#source;
    if (!anew && this.#token !== undefined) return this.#token;
    let token: string;
    try {
      token = await this.#source();
    } catch (error) {
      if (error instanceof NacreError) throw error;
      throw unauthenticated("the `token` function has failed", error);
    }
    // Another user may have signed in: the queue is not theirs.
    if (this.user !== undefined && userOf(token) !== this.user) {
      throw unauthenticated("the token belongs to another user");
    }
    this.#token = token;
    return token;
  }

  async #request(path: string, asked: Asked, anew = false): Promise<Response> {
    const token = await this.token(anew);
    const { before, signal, ...init } = asked;
    before?.();
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const answer = fetch(new URL(path, this.#url), { ...init, headers, signal: signal ?? null });
    const late = new Promise<never>((_, reject) => {
      AbortSignal.timeout(PATIENCE + ((init.body ?? "").length >> 3)).onabort = reject;
    });
    const response = await reached(Promise.race([answer, late]), signal);
    this.#isRefused = response.status === 401;
    if (this.#isRefused && !anew && typeof this.#source === "function") {
      await leave(response);
      return this.#request(path, asked, true);
    }
    return response;
  }

  /** Asks for what is there; throws when it is not given. */
  async #fetch(path: string, asked: Asked): Promise<Response> {
    const response = await this.#request(path, asked);
    if (!response.ok) throw problemError(await textOf(response), response);
    return response;
  }

  /** The whole store, and the seq that it shows. */
  async export(signal: AbortSignal): Promise<{ seq: number; bytes: Uint8Array }> {
    const response = await this.#fetch("v1/export", { signal });
    const seq = seqOf(response);
    return { seq, bytes: new Uint8Array(await reached(response.arrayBuffer())) };
  }

  /** A page of the audit trail as text; `null` for users who have none. */
  async audit(cursor: string | null, signal?: AbortSignal): Promise<string> {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const asked = this.#fetch(`v1/audit?limit=200${query}`, { signal });
    const response = await asked.catch((error: unknown) => {
      if (hasCode(error, "forbidden") || hasCode(error, "not-found")) return undefined;
      throw error;
    });
    if (!response) return "null";
    const text = await textOf(response);
    if (!Array.isArray(parsed<Trail>(text)?.items)) throw notTheServer(response);
    return text;
  }

  /** A page of what was deleted, newest first. */
  async deleted(cursor: string | null): Promise<{ items: DeletedContext[]; next_cursor: string | null }> {
    const trail: Trail | null = JSON.parse(await this.audit(cursor));
    return { items: deletedIn(trail?.items ?? []), next_cursor: trail?.next_cursor ?? null };
  }

  /** Brings back a context that the copy does not know; gives the commit that did. */
  async restore(level: Level, id: string, body: WriteOptions, key: string): Promise<{ version: number; seq: number }> {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const path = `v1/contexts/${level}/${encodeURIComponent(id)}/restore`;
    const response = await this.#fetch(path, { method: "POST", body: JSON.stringify(body), headers });
    const version = parsed<{ version?: number }>(await textOf(response))?.version;
    if (version === undefined) throw notTheServer(response);
    return { version, seq: seqOf(response) };
  }

  /**
   * Sends a batch by its name. Throws when its outcome is not known. `before` may still stop it:
   * whoever is asked for a token may take days.
   */
  async batch(body: string, name: string, signal: AbortSignal, before: () => void): Promise<Outcome> {
    const headers = { "content-type": "application/json", "x-request-id": name };
    const response = await this.#request("v1/batch", { method: "POST", body, headers, signal, before });
    const text = await textOf(response);
    if (response.ok) {
      if (Array.isArray(parsed<{ results?: unknown }>(text)?.results)) return { landed: text };
    }
    const error = problemError(text, response);
    const { status } = response;
    // A proxy allows smaller requests than the server does: in smaller pieces it may pass all.
    if (!error.problem && status === 413) {
      return { refused: JSON.stringify(refused("too-large", status, error.message).problem) };
    }
    // The token does not count, or there is no time.
    if ([401, 408, 429].includes(status) || error.code === "store-unavailable") throw error;
    if (error.problem && status < 500) return { refused: text };
    return { unsaid: JSON.stringify(error.problem ?? refused("unavailable", status, error.message).problem), error };
  }

  /** The seq of the store. */
  async seq(signal: AbortSignal): Promise<number> {
    const response = await this.#fetch("v1/contexts?limit=1", { signal });
    await leave(response);
    return seqOf(response);
  }

  /** Opens the socket; gives the store's seq instead where only requests get through. `receive` gets
   * each message, and `ended` is called once with the reason when it ends. */
  async connect(
    receive: (message: LiveMessage, text: string) => void,
    ended: (reason: NacreError) => void,
    signal: AbortSignal,
  ): Promise<WebSocket | number> {
    let token: string | undefined;
    const open = async (): Promise<WebSocket> => {
      token = await this.token();
      signal.throwIfAborted(); // from here on an abort closes the socket
      const url = new URL("v1/live", this.#url);
      url.protocol = url.protocol.replace("http", "ws");
      const socket = new WebSocket(url, ["nacre.v1", `bearer.${token}`]);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<unknown>((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = socket.onclose = () => reject(unreachable());
        timer = setTimeout(() => (socket.close(), reject(unreachable())), HANDSHAKE);
        signal.addEventListener("abort", () => (socket.close(), reject(signal.reason)), { once: true });
      }).finally(() => clearTimeout(timer));
      signal.throwIfAborted();
      return socket;
    };
    if (this.#isRefused) await this.seq(signal);
    const socket = await open().catch(async (error: unknown) => {
      if (signal.aborted) throw error;
      // A browser does not say why there is no socket. An ordinary request does, and brings another
      // token if the server wants one.
      const before = this.#token;
      const seq = await this.seq(signal);
      return this.#token === before ? seq : open();
    });
    if (typeof socket === "number") return socket;
    socket.onerror = null;
    // As text too: a number may have more digits than JavaScript holds.
    socket.onmessage = ({ data }: MessageEvent<string>) => receive(JSON.parse(data), data);
    socket.onclose = ({ code }) => {
      if (code !== 4401) return ended(unreachable());
      this.#expired = token ?? null;
      this.#token = undefined;
      ended(expired());
    };
    return socket;
  }
}

interface Trail {
  items?: Commit[];
  next_cursor?: string | null;
}

function parsed<T>(text: string): T | null | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The seq of an answer, which every server gives. */
function seqOf(response: Response): number {
  const seq = Number(response.headers.get("nacre-seq") ?? NaN);
  if (!Number.isSafeInteger(seq)) throw notTheServer(response);
  return seq;
}

/** Reads no more of a response. That the rest of it did not come changes nothing. */
const leave = async ({ body }: Response): Promise<void> => body?.cancel().catch(() => {});

const textOf = (response: Response): Promise<string> => reached(response.text());

function problemError(text: string, response: Response): NacreError {
  const problem = parsed<Problem>(text);
  if (typeof problem?.code !== "string") return notTheServer(response);
  const retryAfter = Math.max(0, Number(response.headers.get("retry-after")));
  return new NacreError(problem.code, problem.detail, { problem, ...(retryAfter > 0 ? { retryAfter } : {}) });
}
