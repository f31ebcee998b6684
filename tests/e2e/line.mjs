// A client of the socket protocol, as small as it can be: what it gets, in order.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { decode, encode } from "@msgpack/msgpack";
import { WebSocket } from "ws";

import { token } from "./harness.mjs";

/** How long anything may take, in milliseconds. */
const PATIENCE = 15_000;

/** One socket. */
export class Line {
  #socket;
  #format;
  #messages = [];
  #listeners = [];
  isClosed = false;

  /**
   * Opens a socket for `sub`, with a token in a subprotocol as browsers send it.
   *
   * @param {{claims?: object, owner?: string, format?: "json" | "msgpack", bearer?: string}} [options]
   */
  static async open(worker, sub, { claims = {}, owner, format = "json", bearer } = {}) {
    const line = new Line();
    const url = new URL("/v1/live", worker.url.replace(/^http/, "ws"));
    if (owner) url.searchParams.set("owner", owner);
    const protocols = ["nacre.v1", `bearer.${bearer ?? token({ sub, ...claims }, worker.secret)}`];
    // workerd ends the connection ten seconds after the last frame; that is not waited for.
    line.#socket = new WebSocket(url, protocols, { closeTimeout: 100 });
    line.#format = format;
    line.#socket.on("message", (data, isBinary) => line.#hear(data, isBinary));
    line.ended = new Promise((resolve) =>
      line.#socket.on("close", (code, reason) => {
        line.isClosed = true;
        resolve({ code, reason: String(reason) });
      }),
    );
    await new Promise((resolve, reject) => line.#socket.once("open", resolve).once("error", reject));
    line.#socket.on("error", () => {});
    assert.equal(line.#socket.protocol, "nacre.v1");
    return line;
  }

  #hear(data, isBinary) {
    const message = isBinary ? decode(data) : JSON.parse(data);
    const listener = this.#listeners[0];
    if (listener?.(message)) return;
    this.#messages.push(message);
    this.#each?.(message);
  }

  #each;

  /** Calls `hear` with every message that nobody asked for, also with those that are there. */
  each(hear) {
    this.#each = hear;
    this.#messages.forEach(hear);
  }

  /** Sends a message: an object in the line's format, a string as it is. */
  say(message) {
    if (typeof message === "string") this.#socket.send(message);
    else this.#socket.send(this.#format === "json" ? JSON.stringify(message) : encode(message));
  }

  /** Sends a message and waits for its answer: the next of its id, or without one. */
  async ask(message) {
    const answer = this.#next(
      ({ type, id }) => type !== "change" && type !== "delta" && (id === undefined || id === message.id),
    );
    this.say(message);
    return answer;
  }

  #next(fits) {
    return within(
      new Promise((resolve) => {
        const listener = (message) => {
          if (!fits(message)) return false;
          this.#listeners.splice(this.#listeners.indexOf(listener), 1);
          resolve(message);
          return true;
        };
        this.#listeners.push(listener);
      }),
      "an answer",
    );
  }

  /** The next messages, `count` of them. */
  async take(count) {
    await this.until(() => this.#messages.length >= count);
    return this.#messages.splice(0, count);
  }

  /** Waits until something holds. */
  async until(holds) {
    for (const end = Date.now() + PATIENCE; !holds(); await sleep(5)) {
      assert.ok(Date.now() < end, `nothing more came: ${JSON.stringify(this.#messages)}`);
    }
  }

  /** Waits until all that was said is done, and all that was sent is here. */
  async sync() {
    await this.ask('{ "type": "ping" }'); // not the text that is answered without the object
  }

  /** That nothing has come. */
  async quiet() {
    await this.sync();
    assert.deepEqual(this.#messages, []);
  }

  /** Stops reading from the network, and goes on. */
  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  close() {
    this.isClosed = true;
    this.#socket.close();
  }
}

function within(promise, what) {
  const late = sleep(PATIENCE, undefined, { ref: false }).then(() => assert.fail(`${what} did not come`));
  return Promise.race([promise, late]);
}

/** RFC 7396 §2. */
export function merged(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === "object" && !Array.isArray(target);
  const result = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}
