// The server: requests and the socket. What it means is decided elsewhere.

import { NacreError } from "./error.js";

const unreachable = (cause) =>
  new NacreError("unavailable", "the server cannot be reached", { cause });

/** The user a token names; nothing is checked, that is the server's part. */
export function userOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { sub } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
    if (typeof sub === "string" && sub) return sub;
  } catch {
    // Said below.
  }
  throw new NacreError("unauthenticated", "the token is no JWT that names a user");
}

export class Server {
  #url;
  #source;
  #token;
  /** Whose store it is, once that is known. */
  user;

  constructor(url, source) {
    this.#url = url;
    this.#source = source;
  }

  /** The token; `anew` asks for another one, if there is anything to ask. */
  async token(anew = false) {
    if (typeof this.#source !== "function") return this.#source;
    if (anew || this.#token === undefined) {
      let token;
      try {
        token = await this.#source();
      } catch (error) {
        if (error instanceof NacreError) throw error;
        throw new NacreError("unauthenticated", "there is no token", { cause: error });
      }
      // Somebody else may have signed in: what is queued here is not theirs.
      if (this.user !== undefined && userOf(token) !== this.user) {
        throw new NacreError("unauthenticated", "the token is another user's");
      }
      this.#token = token;
    }
    return this.#token;
  }

  async #request(path, init, anew = false) {
    const token = await this.token(anew);
    init.before?.();
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, this.#url), { ...init, headers }).catch((cause) => {
      throw init.signal?.aborted ? cause : unreachable(cause);
    });
    if (response.status === 401 && !anew && typeof this.#source === "function") {
      await response.body?.cancel();
      return this.#request(path, init, true);
    }
    return response;
  }

  /** All that the store holds, and the state that it began in. */
  async export(signal) {
    const response = await this.#request("v1/export", { signal });
    if (!response.ok) throw await refusal(response);
    const seq = Number(response.headers.get("nacre-seq") ?? NaN);
    if (!Number.isSafeInteger(seq)) {
      throw new NacreError("unavailable", "the answer does not say which state it shows (Nacre-Seq)");
    }
    const body = await response.arrayBuffer().catch((cause) => {
      throw unreachable(cause);
    });
    return { seq, bytes: new Uint8Array(body) };
  }

  /** A page of the audit trail as text; `null` for whom there is none. */
  async audit(cursor, signal) {
    const query = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await this.#request(`v1/audit?limit=200${query}`, { signal });
    if (response.status === 403 || response.status === 404) {
      await response.body?.cancel();
      return "null";
    }
    if (!response.ok) throw await refusal(response);
    const text = await response.text().catch((cause) => {
      throw unreachable(cause);
    });
    if (!Array.isArray(parsed(text)?.items)) throw noAnswer();
    return text;
  }

  /** Brings back what a copy does not know; says which commit did. */
  async restore(level, id, body, key) {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const path = `v1/contexts/${level}/${encodeURIComponent(id)}/restore`;
    const response = await this.#request(path, { method: "POST", body: JSON.stringify(body), headers });
    if (!response.ok) throw await refusal(response);
    const { version } = parsed(await response.text().catch(() => "")) ?? {};
    const seq = Number(response.headers.get("nacre-seq") ?? NaN);
    if (version === undefined || !Number.isSafeInteger(seq)) throw noAnswer();
    return { version, seq };
  }

  /** Sends a flight by its name: `{landed}` or `{refused}`, each the answer's text; throws when it is
   * not known what became of it. `before` may still stop it: who is asked for a token may take days. */
  async batch(body, name, signal, before) {
    const headers = { "content-type": "application/json", "x-request-id": name };
    const response = await this.#request("v1/batch", { method: "POST", body, headers, signal, before });
    const text = await response.text().catch((cause) => {
      throw unreachable(cause);
    });
    if (response.ok) {
      if (!Array.isArray(parsed(text)?.results)) throw noAnswer();
      return { landed: text };
    }
    const error = problemError(text, response);
    const { status } = response;
    // A proxy takes less than the server does: of less at once it may take all.
    if (!error.problem && status === 413) {
      return { refused: JSON.stringify({ code: "too-large", status, title: "too large", detail: error.message }) };
    }
    // Who asks too often, or may not ask, has been told nothing about what was asked.
    if (!error.problem || status >= 500 || status === 401 || status === 429) throw error;
    const isAll = error.problem.failed_operation === undefined;
    if (isAll && (status === 403 || status === 404)) throw error;
    return { refused: text };
  }

  /** A socket, once it is open. `receive` gets messages, `ended` is called once. */
  async connect(receive, ended, signal) {
    const open = async () => {
      const token = await this.token();
      signal.throwIfAborted(); // from here on its end ends the socket
      const url = new URL("v1/live", this.#url);
      url.protocol = url.protocol.replace("http", "ws");
      const socket = new WebSocket(url, ["nacre.v1", `bearer.${token}`]);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = socket.onclose = () => reject(unreachable());
        signal.addEventListener("abort", () => (socket.close(), reject(signal.reason)), { once: true });
      });
      signal.throwIfAborted();
      return socket;
    };
    const socket = await open().catch(async (error) => {
      if (signal.aborted) throw error;
      // A browser does not say why it was given no socket; an ordinary request is told, and brings
      // another token if the server wants one.
      const before = this.#token;
      const answer = await this.#request("v1/contexts?limit=1", { signal });
      if (!answer.ok) throw await refusal(answer);
      await answer.body?.cancel();
      if (this.#token === before) throw error;
      return open();
    });
    socket.onerror = null;
    // As text too: a number may have more digits than JavaScript holds.
    socket.onmessage = ({ data }) => receive(JSON.parse(data), data);
    socket.onclose = ({ code }) => {
      if (code === 4401) this.#token = undefined;
      ended();
    };
    return socket;
  }
}

/** Something stands in between, and answers in the server's place. */
const noAnswer = () => new NacreError("unavailable", "the answer is not the server's");

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function refusal(response) {
  return problemError(await response.text().catch(() => ""), response);
}

function problemError(text, response) {
  const problem = parsed(text);
  if (typeof problem?.code !== "string") {
    return new NacreError("unavailable", `the server answered ${response.status}`);
  }
  const error = new NacreError(problem.code, problem.detail, { problem });
  error.retryAfter = Math.max(0, Number(response.headers.get("retry-after"))) || undefined;
  return error;
}
