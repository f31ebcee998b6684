// The copy on this device: the core, what IndexedDB keeps of it, and the tabs that share it.
//
// A change is kept first, and shown afterwards. Every commit has a number (`revision`). A tab takes
// the commits of the others in by number; when one is missing for too long it reads everything anew.

import { Core, call, pack, step } from "./core.ts";
import { NacreError, closed } from "./error.ts";
import type { CopyListener, LocalCopy, Told } from "./parts.ts";
import { type Commit, type Committed, type Storage, openMemory, openStorage } from "./storage.ts";
import { type TabMessage, type Tabs, joinTabs } from "./tabs.ts";

/** How many milliseconds a commit of another tab may be missing before everything is read anew. */
const LATE = 1000;

export class Copy implements LocalCopy {
  readonly #user: string;
  readonly #listener: CopyListener;
  #core: Core;
  #isClosed = false;
  #storage: Storage | undefined;
  #tabs: Tabs | undefined;
  #revision = 0;
  /** The last term that this tab has led, or leads. */
  #term = 0;
  /** Revisions that came before their turn. */
  readonly #ahead = new Set<number>();
  #late: ReturnType<typeof setTimeout> | undefined;
  #turns: Promise<unknown> = Promise.resolve();

  constructor(user: string, listener: CopyListener) {
    this.#user = user;
    this.#listener = listener;
    this.#core = call(() => new Core(user));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get core(): Core {
    return this.#core;
  }

  open(): Core {
    if (this.#isClosed) throw closed();
    return this.#core;
  }

  /**
   * Reads what is kept in a database, and joins the other tabs; `null` keeps nothing. Gives the script's
   * own entries, and `begin`, which lets in what the tabs have said in the meantime.
   */
  async start(name: string | null): Promise<{ own: Map<string, unknown>; begin: () => void }> {
    this.#storage = name ? await openStorage(name, () => this.#end()) : openMemory();
    // Joined before anything is read, so that no commit of another tab is missed.
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const lead = (): void => void begun.then(() => this.#isClosed || this.#listener.leads(true));
    const hear = (message: TabMessage): void => void begun.then(() => this.#isClosed || this.#hear(message));
    const claim = async (): Promise<number> => (this.#term = (await this.#storage?.term(true)) ?? 0);
    if (name) this.#tabs = joinTabs(name, hear, { claim, begin: lead, end: () => this.#listener.leads(false) });
    else lead(); // what is in memory is shared with nobody
    return { own: await this.load(), begin };
  }

  turn<T>(act: () => T | Promise<T>): Promise<T> {
    const turn = this.#turns.then(act);
    this.#turns = turn.catch(() => {});
    return turn;
  }

  async load(): Promise<Map<string, unknown>> {
    if (!this.#storage) throw closed();
    const { entries, revision, own } = await this.#storage.load();
    const core = call(() => new Core(this.#user));
    call(() => core.absorb(pack(entries), true));
    this.#core.free();
    this.#core = core;
    this.#revision = revision;
    for (const ahead of this.#ahead) if (ahead <= revision) this.#ahead.delete(ahead);
    this.#listener.changed();
    return own;
  }

  async commit(commit: Commit): Promise<void> {
    const { packed, revision, places } = await this.#keep(commit);
    if (this.#isClosed) return;
    if (packed.length > 0) call(() => this.#core.absorb(packed, false));
    this.#take(revision, places);
  }

  async commitStep(packedStep: Uint8Array): Promise<void> {
    const { anew, told, entries } = step(packedStep);
    if (anew || entries.length > 0) {
      const { revision, places } = await this.#keep({ entries, anew, term: this.#term }, told).catch(
        async (error: unknown) => {
          if (!this.#isClosed) await this.load().catch(() => {}); // the core is ahead of what is kept
          throw error;
        },
      );
      if (!this.#isClosed) this.#take(revision, places);
    }
    this.#listener.heard(told);
  }

  async checkLead(): Promise<void> {
    if ((await this.#storage?.term(false)) !== this.#term) throw this.#superseded();
  }

  tell(message: TabMessage): void {
    this.#tabs?.tell(message);
  }

  /** Ends it here; `last` may look at the core once more, after the turns that are under way. */
  async close(last: () => void): Promise<void> {
    if (this.#isClosed) return;
    this.#end();
    await this.#turns.catch(() => {});
    last();
    this.#core.free();
  }

  /** Removes it from this device; to be called when it is closed. */
  async erase(): Promise<void> {
    await this.#storage?.erase();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tabs?.leave(this.#turns);
    // A write that is being kept is kept.
    this.#turns.then(() => this.#storage?.close());
    clearTimeout(this.#late);
    this.#listener.closed();
  }

  /** Stores a commit and tells the other tabs. */
  async #keep(commit: Commit, told?: Told): Promise<{ packed: Uint8Array; places: Uint8Array; revision: number }> {
    if (!this.#storage) throw closed();
    let kept: Committed | undefined;
    try {
      kept = await this.#storage.commit(commit);
    } catch (cause) {
      if (this.#isClosed) throw closed();
      throw new NacreError("store-unavailable", "could not save to IndexedDB", { cause });
    }
    if (!kept) throw this.#superseded();
    const { revision } = kept;
    const packed = pack(commit.entries ?? []);
    const places = pack(kept.placed.map(([n, write]) => [String(n), write]));
    this.tell({ revision, packed, places, anew: commit.anew ?? false, ...told });
    return { packed, places, revision };
  }

  /** Another tab leads: what this one has begun as the leader is void. */
  #superseded(): NacreError {
    this.#tabs?.stepDown();
    return closed();
  }

  /** Takes in the writes that a commit has queued, and counts it. */
  #take(revision: number, places: Uint8Array): void {
    if (places.length > 0) call(() => this.#core.queue(places));
    // Commits of other tabs may come in another order.
    this.#ahead.add(revision);
    while (this.#ahead.delete(this.#revision + 1)) this.#revision += 1;
    clearTimeout(this.#late);
    if (this.#ahead.size > 0) this.#late = setTimeout(() => this.#readAnew(), LATE);
    this.#listener.committed();
  }

  #readAnew(): void {
    this.turn(() => (this.#isClosed ? undefined : this.load())).catch((error: unknown) => this.#listener.failed(error));
  }

  #hear(message: TabMessage): void {
    if (message.erased) {
      this.#end();
      return;
    }
    const { revision = 0, packed, places, anew = false } = message;
    this.turn(() => {
      if (this.#isClosed) return;
      if (revision > this.#revision && packed && places) {
        if (packed.length > 0 || anew) call(() => this.#core.absorb(packed, anew));
        this.#take(revision, places);
      }
      // Only now does the copy show what is told of it.
      this.#listener.heard(message);
    }).catch((error: unknown) => this.#listener.failed(error));
  }
}
