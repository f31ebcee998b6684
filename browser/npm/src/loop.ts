// The loop around `connection`: tells it what happens, and does what it says.

import type { Announced, CopyState, Effect, Event, Job, State } from "./connection.ts";
import { next, start, unreachable } from "./connection.ts";
import { type NacreError, asNacreError, closed } from "./error.ts";
import type { Server } from "./server.ts";

/** What the connection may do with the copy. */
export interface LocalSteps {
  /** How it stands, looked up when it is asked. */
  readonly state: CopyState;
  /** The batch under way: its body and its name. */
  flight(): Promise<{ body: string; name: string }>;
  recall(page: string): Promise<void>;
  land(reply: string): Promise<void>;
  turnBack(problem: string): Promise<void>;
  passOver(problem: string): Promise<void>;
  open(exported: Uint8Array, seq: number): Promise<void>;
  /** Takes changes in. False when that cannot be done, and the copy must be fetched anew. */
  advance(changes: readonly Announced[], seq: number): Promise<boolean>;
  takeOff(): Promise<void>;
  tell(state: "offline" | "syncing" | "online", error: NacreError | null, polling: boolean): void;
}

export class Loop {
  readonly #local: LocalSteps;
  readonly #server: Server;
  readonly #stop = new AbortController();
  /** Ends the socket, and whatever a job waits for. */
  #link = new AbortController();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: State = start;

  constructor(local: LocalSteps, server: Server) {
    this.#local = local;
    this.#server = server;
    globalThis.addEventListener?.("online", () => this.#on({ type: "network" }), { signal: this.#stop.signal });
    this.#on({ type: "timer" });
  }

  /** There may be writes to send. */
  kick(): void {
    this.#on({ type: "kicked" });
  }

  stop(): void {
    const reason = closed();
    this.#stop.abort(reason);
    this.#link.abort(reason);
    clearTimeout(this.#timer);
  }

  #on(event: Event): void {
    if (this.#stop.signal.aborted) return;
    const input = { copy: this.#local.state, now: Date.now(), chance: Math.random() };
    let effects: Effect[];
    try {
      [this.#state, effects] = next(this.#state, { ...input, event });
    } catch (error) {
      // The copy cannot be read.
      [this.#state, effects] = next(this.#state, { ...input, event: { type: "failed", error: asNacreError(error) } });
    }
    for (const effect of effects) {
      if (this.#stop.signal.aborted) return; // by a listener that was told
      this.#do(effect);
    }
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case "say":
        if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(effect.message));
        return;
      case "tell":
        this.#local.tell(effect.state, effect.error, effect.polling ?? false);
        return;
      case "wake":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#on({ type: "timer" }), effect.after);
        return;
      case "close":
        this.#link.abort(effect.error);
        this.#link = new AbortController();
        return;
      default:
        this.#work(effect).then(
          (event) => this.#on(event),
          (error: unknown) => this.#on({ type: "failed", error: asNacreError(error) }),
        );
    }
  }

  async #work(job: Job): Promise<Event> {
    const { signal } = this.#link;
    switch (job.do) {
      case "recall": {
        const page = await this.#server.audit(job.cursor, signal);
        await this.#local.recall(page);
        return { type: "recalled", cursor: JSON.parse(page)?.next_cursor ?? null };
      }
      case "send": {
        const { body, name } = await this.#local.flight();
        const outcome = await this.#server.batch(body, name, signal, () => {
          if (this.#local.state.isInDoubt) throw unreachable();
        });
        if ("unsaid" in outcome) {
          await this.#local.passOver(outcome.unsaid);
          throw outcome.error;
        }
        if ("landed" in outcome) await this.#local.land(outcome.landed);
        else await this.#local.turnBack(outcome.refused);
        return { type: "sent" };
      }
      case "fetch": {
        const { seq, bytes } = await this.#server.export(signal);
        await this.#local.open(bytes, seq);
        return { type: "fetched" };
      }
      case "connect": {
        const heard = (event: Event): void => {
          if (!signal.aborted) this.#on(event);
        };
        const socket = await this.#server.connect(
          (message, text) => heard({ type: "message", message, text }),
          (error) => heard({ type: "lost", error }),
          signal,
        );
        if (typeof socket === "number") return { type: "polled", seq: socket };
        this.#socket = socket;
        return { type: "connected" };
      }
      case "poll":
        return { type: "polled", seq: await this.#server.seq(signal) };
      case "advance":
        return { type: "advanced", isTaken: await this.#local.advance(job.changes, job.seq) };
      case "take-off":
        await this.#local.takeOff();
        return { type: "taken off" };
    }
  }
}
