// Follows the server: which tab leads, whether the network is used, and what the connection does to
// the copy.

import type { DeletedContext, Level, OpenOptions, Status, WriteOptions, Written } from "../index.js";
import { Announcements } from "./announced.ts";
import { type Announced, type CopyState, unreachable } from "./connection.ts";
import { type Core, call } from "./core.ts";
import { NacreError, asNacreError, closed, hasCode, posted, received } from "./error.ts";
import type { Events } from "./events.ts";
import { newKey } from "./key.ts";
import { type LocalSteps, Loop } from "./loop.ts";
import type { LocalCopy } from "./parts.ts";
import type { Scope } from "./scope.ts";
import type { Server } from "./server.ts";
import type { Request, TabMessage } from "./tabs.ts";

const SWITCH = "j/online";

export class Sync {
  readonly #copy: LocalCopy;
  readonly #scope: Scope;
  readonly #server: Server;
  readonly #events: Events;
  readonly #announcements = new Announcements();
  #leads = false;
  #online = true;
  #state: Status["state"] = "syncing";
  #error: NacreError | null = null;
  #polling = false;
  #status: Status | undefined;
  #loop: Loop | undefined;
  /** Differs from one connection to the next. */
  #term: object = {};
  /** What this tab asks of the leader, until it is answered. */
  readonly #asked = new Set<{ request: Request; reply?: TabMessage["reply"] }>();
  /** The requests of other tabs that were carried out. They are made again until they are answered. */
  readonly #carriedOut = new Set<string>();

  constructor(copy: LocalCopy, scope: Scope, server: Server, events: Events) {
    this.#copy = copy;
    this.#scope = scope;
    this.#server = server;
    this.#events = events;
  }

  /** Sets the switch as the caller asks, else as it was set last. */
  async start(online: OpenOptions["online"], own: Map<string, unknown>): Promise<void> {
    const last = own.get(SWITCH) as boolean | undefined;
    this.#online = online ?? last ?? true;
    if (!this.#online) this.#state = "offline";
    if (online !== undefined && online !== last) await this.#remember();
  }

  /** Waits until there is a copy: at first there is nothing to show until the server has replied. */
  ready(): Promise<void> {
    return this.#events.until(() => {
      if (this.#copy.open().is_open()) return true;
      if (this.#state !== "offline") return false;
      throw this.#error ?? new NacreError("unavailable", "there is no copy on this device, and no network");
    });
  }

  /** The same object as long as nothing is different. */
  get status(): Status {
    const { core } = this.#copy;
    const queued = core.queued();
    const now: Status = {
      // The leader may not have said yet that it sends them, or may not be able to.
      state: this.#state === "online" && queued > 0 ? "syncing" : this.#state,
      online: this.#online,
      queued,
      refused: core.refused_count(),
      conflicts: core.conflict_count(),
      seq: core.seq(),
      leader: this.#leads,
      polling: this.#polling,
      error: this.#error,
    };
    const names = Object.keys(now) as (keyof Status)[];
    if (this.#status && names.every((name) => now[name] === this.#status?.[name])) return this.#status;
    this.#status = now;
    return now;
  }

  get online(): boolean {
    return this.#online;
  }

  set online(online: boolean) {
    this.#copy.open();
    if (this.#online === online) return;
    this.#switch(online);
    this.#copy.tell({ online });
    this.#copy.turn(() => this.#remember()).catch((error: unknown) => this.failed(error));
  }

  /** A page of what was deleted, as the server knows it. */
  async deleted(cursor: string | null): Promise<{ items: DeletedContext[]; next_cursor: string | null }> {
    this.#copy.open();
    if (!this.#online) throw new NacreError("unavailable", "the network is switched off (`online`)");
    return this.#server.deleted(cursor);
  }

  /** Has the server bring back a context that the copy does not know, and waits until it is here. */
  async restore(level: Level, id: string, options: WriteOptions | undefined): Promise<Written> {
    const key = newKey();
    const { version, seq } = await this.#server.restore(level, id, { ...options }, key);
    await this.#events.until(() => this.#copy.open().seq() >= seq);
    return { level, id, version, key };
  }

  /**
   * Has a write retried or discarded. The leader does it, as it alone knows what is being sent, and
   * how far the copy is upon which the queue is decided again.
   */
  async request(act: Request["act"], key: string): Promise<void> {
    const asked: { request: Request; reply?: TabMessage["reply"] } = { request: { id: newKey(), act, key } };
    this.#asked.add(asked);
    this.#copy.tell({ ask: true }); // the leader says that it is there, and then it is asked
    await this.#events.until(() => {
      this.#copy.open();
      return this.#leads || asked.reply !== undefined;
    });
    this.#asked.delete(asked);
    if (asked.reply?.error) throw received(asked.reply.error);
    if (asked.reply) return;
    await this.#carryOut(asked.request).catch((error: unknown) => {
      if (this.#leads || this.#copy.isClosed) throw error;
      return this.request(act, key); // the lead has passed on before it was kept
    });
  }

  /** This tab talks to the server from now on. */
  async lead(): Promise<void> {
    const term = (this.#term = {});
    await this.#copy.turn(() => this.#copy.load()).catch((error: unknown) => this.failed(error));
    if (this.#copy.isClosed || term !== this.#term) return;
    this.#leads = true;
    if (this.#online) this.#begin();
    this.#events.changed();
  }

  /** Another tab talks to the server from now on, and is asked how things stand. */
  follow(): void {
    this.#leads = false;
    this.#term = {};
    this.#loop?.stop();
    if (this.#online) this.#state = "syncing";
    this.#copy.tell({ hello: true });
    this.#events.changed();
  }

  /** There may be writes to send. */
  kick(): void {
    this.#loop?.kick();
  }

  /** Another tab has said something. */
  hear({ hello, leads = 0, request, reply, online, state, error, polling = false }: TabMessage): void {
    if (hello && this.#leads) this.#tellState();
    if (request && this.#leads) this.#answer(request);
    for (const asked of this.#asked) {
      if (leads > 0) this.#copy.tell({ request: asked.request });
      if (reply?.id !== asked.request.id) continue;
      asked.reply = reply;
      this.#events.changed();
    }
    if (online !== undefined) this.#switch(online);
    if (state && !this.#leads) {
      this.#state = state;
      this.#polling = polling;
      this.#error = error ? received(error) : null;
      this.#events.changed();
    }
  }

  failed(thrown: unknown): void {
    if (this.#copy.isClosed) return;
    this.#error = asNacreError(thrown);
    this.#events.emit("error", this.#error);
    this.#events.changed();
  }

  stop(): void {
    this.#state = "offline";
    this.#loop?.stop();
  }

  #carryOut({ act, key }: Request): Promise<void> {
    return this.#copy.turn(() => this.#copy.commitStep(call(() => this.#copy.open()[act](key))));
  }

  async #answer(request: Request): Promise<void> {
    if (this.#carriedOut.has(request.id)) return;
    this.#carriedOut.add(request.id);
    const error = await this.#carryOut(request).then(
      () => null,
      (error: unknown) => posted(asNacreError(error)),
    );
    // If it does not lead any more, the next leader is asked.
    if (this.#leads) this.#copy.tell({ reply: { id: request.id, error } });
  }

  #remember(): Promise<void> {
    return this.#copy.commit({ own: [[SWITCH, this.#online]] });
  }

  #switch(online: boolean): void {
    this.#online = online;
    this.#state = online ? "syncing" : "offline";
    this.#error = null;
    this.#polling = false;
    if (this.#leads && online) this.#begin();
    else if (this.#leads) this.#loop?.stop();
    this.#events.changed();
  }

  #begin(): void {
    this.#loop?.stop();
    this.#loop = new Loop(this.#steps(), this.#server);
  }

  #tell(state: Status["state"], error: NacreError | null, polling: boolean): void {
    if (this.#copy.isClosed || !this.#online) return;
    this.#polling = polling;
    this.#state = state;
    // The last error stays until something has gone right.
    if (error || state === "online") this.#error = error;
    if (error) this.#events.emit("error", error);
    this.#tellState();
    this.#events.changed();
  }

  #tellState(): void {
    this.#copy.tell({ state: this.#state, error: this.#error && posted(this.#error), polling: this.#polling });
  }

  #announce(announced: readonly Announced[]): void {
    const told = this.#announcements.tell(announced, this.#copy.core.seq());
    this.#events.emitAll(told);
    if (announced.length > 0) this.#copy.tell(told);
  }

  /** What one connection may do. Once there is another one, what it still waits for is void. */
  #steps(): LocalSteps {
    const [copy, scope] = [this.#copy, this.#scope];
    const term = (this.#term = {});
    const turn = <T>(act: () => T | Promise<T>): Promise<T> =>
      copy.turn(() => {
        if (copy.isClosed || term !== this.#term) throw closed();
        return act();
      });
    const step = (act: (core: Core) => Uint8Array): Promise<void> => copy.commitStep(call(() => act(copy.core)));
    // Another tab may have led meanwhile, and have begun or ended a flight: then this connection
    // starts again with what is so now.
    const atRest = (): void => {
      if (copy.core.under_way() !== undefined) throw unreachable();
    };
    const answered = (act: (core: Core) => Uint8Array): Promise<void> =>
      turn(() => {
        if (copy.core.under_way() === undefined) throw unreachable();
        return step(act);
      });
    const state: CopyState = {
      get isOpen() {
        return copy.core.is_open() && scope.isWhole();
      },
      get seq() {
        return copy.core.seq();
      },
      get queued() {
        return copy.core.queued();
      },
      get isFlying() {
        return copy.core.under_way() !== undefined;
      },
      get isInDoubt() {
        return copy.core.is_in_doubt(Date.now());
      },
      get topics() {
        return scope.topics();
      },
    };
    return {
      state,
      flight: () =>
        turn(async () => {
          await copy.checkLead(); // a page may have been stopped since it was taken off
          return { body: copy.core.under_way() ?? "", name: copy.core.flight_name() ?? "" };
        }),
      tell: (state, error, polling) => this.#tell(state, error, polling),
      recall: (page) => answered((core) => core.recall(page, Date.now())),
      open: (exported, seq) =>
        turn(() => {
          atRest();
          const { level = "", id = "" } = scope.under ?? {};
          this.#announcements.fetched();
          return step((core) => core.open(exported, seq, level, id));
        }),
      advance: (changes, seq) =>
        turn(async () => {
          atRest();
          if (changes.some(({ message }) => scope.isMoved(message))) return false;
          try {
            const all = `[${changes.map(({ text }) => text).join()}]`;
            await step((core) => core.advance(all, seq));
          } catch (error) {
            if (hasCode(error, "history-expired")) return false;
            throw error;
          }
          this.#announce(changes);
          return scope.isWhole();
        }),
      takeOff: () =>
        turn(async () => {
          atRest();
          // Other tabs may have written upon less than is known by now.
          await step((core) => core.advance("[]", core.seq()));
          await step((core) => core.take_off(Date.now()));
        }),
      land: (reply) =>
        answered((core) => {
          this.#announcements.landed(JSON.parse(reply).results);
          return core.land(reply);
        }),
      turnBack: (problem) => answered((core) => core.turn_back(problem)),
      passOver: (problem) => answered((core) => core.pass_over(problem)),
    };
  }
}
