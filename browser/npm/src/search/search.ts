// The face of a search: follows a replica, asks the core, and has contexts encoded when there is time.

import { NacreError } from "@package";
import type { Address, Replica } from "../../index.js";
import type { Found, Question, Search as SearchFace, SearchOptions, SearchStatus } from "../../search.js";
import { type Meanings, Searcher, call, init, loadModels } from "./core.ts";
import { hasVectors } from "./files.ts";
import { type Encoded, Kept } from "./kept.ts";
import { Shown } from "./shown.ts";

/** How many milliseconds are spent on contexts before the page gets its turn. */
const SLICE = 10;

/** How many milliseconds pass before models that did not load are tried again. */
const PAUSE = 30_000;

export async function openSearch(replica: Replica, options: SearchOptions = {}): Promise<Search> {
  check(replica, options);
  const { models = true, module } = options;
  await init(module);
  const folder = typeof models === "boolean" ? undefined : models;
  return Search.over(replica, models !== false && hasVectors(), folder);
}

export class Search implements SearchFace {
  readonly #core: Searcher;
  readonly #shown: Shown;
  readonly #kept: Kept;
  readonly #folder: string | URL | undefined;
  readonly #stop: () => void;
  #isClosed = false;
  #models: SearchStatus["models"];
  #meanings: Meanings | undefined;
  /** Why the models did not load, and when they may be tried again. */
  #failure: unknown;
  #next = 0;
  #isEncoding = false;
  readonly #watchers = new Set<() => void>();

  /** A search that has taken in all that a replica shows. */
  static async over(replica: Replica, hasModels: boolean, folder: string | URL | undefined): Promise<Search> {
    const search = new Search(replica, hasModels, folder);
    try {
      await search.#fill();
    } catch (error) {
      search.close();
      throw error;
    }
    return search;
  }

  private constructor(replica: Replica, hasModels: boolean, folder: string | URL | undefined) {
    this.#core = call(() => new Searcher());
    this.#folder = folder;
    this.#models = hasModels ? "unloaded" : "off";
    const core = this.#core;
    this.#kept = new Kept(hasModels ? replica.database : null);
    this.#shown = new Shown(replica, {
      put: (...context) => call(() => core.put(...context)),
      remove: (level, id) => {
        call(() => core.remove(level, id));
        this.#kept.remove(`${level}/${id}`);
      },
    });
    const stops = [replica.subscribe("all", () => this.#encode()), replica.on("close", () => this.close())];
    this.#stop = () => stops.forEach((stop) => stop());
  }

  /** Takes in all that the replica shows. */
  #fill(): Promise<void> {
    return this.#inSlices(this.#shown.update());
  }

  /** Takes in what contexts were found to mean on an earlier page, as far as they are the same. */
  async #recall(): Promise<void> {
    await this.#inSlices(this.#recalled(await this.#kept.read()));
  }

  *#recalled(all: [name: string, encoded: Encoded][]): Generator<void, void> {
    this.#update();
    for (const [name, { state, meaning }] of all) {
      if (state === this.#shown.sentState(name)) this.#core.recall(...placeOf(name), meaning);
      else this.#kept.remove(name);
      yield;
    }
  }

  /** Takes steps, and lets the page go on meanwhile. */
  async #inSlices(steps: Generator<void, void>): Promise<void> {
    this.#open();
    let until = Date.now() + SLICE;
    for (const _ of steps) {
      if (Date.now() < until) continue;
      await new Promise((resolve) => setTimeout(resolve));
      this.#open();
      until = Date.now() + SLICE;
    }
  }

  async find(question: Question): Promise<Found> {
    const core = this.#open();
    const asked = written(question);
    this.#update();
    if (question.mode !== "text") this.#load();
    const meanings = this.#meanings;
    return JSON.parse(call(() => (meanings ? core.find_with(asked, meanings) : core.find(asked))));
  }

  async giveVector({ level, id }: Address, vector: Float32Array): Promise<void> {
    const core = this.#open();
    this.#update();
    call(() => core.give_vector(level, id, vector));
  }

  encoded({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          signal?.throwIfAborted();
          this.#open();
          this.#update();
          if (this.#models === "off") throw new NacreError("unavailable", "the models are switched off");
          if (this.#models === "failed") throw this.#failure;
          if (this.#core.waiting() > 0 || this.#models !== "ready") return;
          resolve();
        } catch (error) {
          reject(error);
        }
        this.#watchers.delete(look);
        signal?.removeEventListener("abort", look);
      };
      this.#watchers.add(look);
      signal?.addEventListener("abort", look);
      this.#load();
      look();
    });
  }

  get status(): SearchStatus {
    const documents = this.#isClosed ? 0 : this.#core.documents();
    const encoded = this.#isClosed ? 0 : documents - this.#core.waiting();
    return { documents, encoded, models: this.#models };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop();
    this.#shown.close();
    void this.#kept.close();
    this.#core.free();
    this.#meanings = undefined;
    this.#tell();
  }

  #open(): Searcher {
    if (this.#isClosed) throw new NacreError("closed", "the search is closed");
    return this.#core;
  }

  /** Takes in what has changed. */
  #update(): void {
    for (const _ of this.#shown.update());
  }

  #tell(): void {
    for (const look of this.#watchers) look();
  }

  /** Loads the models, unless they are there, on their way, or failed a moment ago. */
  #load(): void {
    const isDue = this.#models === "unloaded" || (this.#models === "failed" && Date.now() >= this.#next);
    if (!isDue) return;
    this.#models = "loading";
    loadModels(this.#folder)
      .then(
        async (meanings) => {
          await this.#recall().catch(() => {}); // closed, which is seen below
          this.#meanings = meanings;
          this.#models = "ready";
        },
        (cause: unknown) => {
          this.#failure = new NacreError("unavailable", "the models of the search cannot be loaded", { cause });
          this.#models = "failed";
          this.#next = Date.now() + PAUSE;
        },
      )
      .then(() => {
        if (this.#isClosed) this.#meanings = undefined;
        this.#encode();
        this.#tell();
      });
  }

  #encodeOne(meanings: Meanings): void {
    const name = this.#core.next();
    const meaning = call(() => this.#core.encode(meanings));
    const state = name && this.#shown.sentState(name);
    if (name && state) this.#kept.put(name, { state, meaning });
  }

  /** Encodes what waits, a context at a time, whenever the page has nothing else to do. */
  #encode(): void {
    if (this.#isEncoding || !this.#meanings) return;
    this.#isEncoding = true;
    whenIdle(() => {
      this.#isEncoding = false;
      const meanings = this.#meanings;
      if (this.#isClosed || !meanings) return;
      try {
        this.#update();
        this.#encodeOne(meanings);
      } catch (error) {
        if (error instanceof NacreError && error.code === "closed") return; // the replica, just now
        throw error;
      }
      if (this.#core.waiting() > 0) this.#encode();
      else this.#tell();
    });
  }
}

/** The level and the id in a name such as `task/fix-1`. */
function placeOf(name: string): [level: string, id: string] {
  const at = name.indexOf("/");
  return [name.slice(0, at), name.slice(at + 1)];
}

function whenIdle(act: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(act);
  else setTimeout(act);
}

function check(replica: Replica, options: SearchOptions): void {
  if (typeof replica?.subscribe !== "function") throw invalid("`replica` must be a replica of this package");
  for (const name of Object.keys(options)) {
    if (name !== "models" && name !== "module") {
      throw invalid(`\`options\` must not have \`${name}\`, only one of models, module`);
    }
  }
  const { models = true } = options;
  if (typeof models !== "boolean" && typeof models !== "string" && !(models instanceof URL)) {
    throw invalid("`models` must be true, false, or the address of a folder");
  }
}

/** The JSON text of a question; the core checks its members. */
function written(question: Question): string {
  try {
    const text: string | undefined = JSON.stringify(question, (_, value) =>
      value instanceof Float32Array ? [...value] : value,
    );
    if (text !== undefined) return text;
  } catch {
    // said below
  }
  throw invalid("`question` must be an object that JSON can hold");
}

function invalid(detail: string): NacreError {
  const code = "invalid-request";
  const problem = { code, status: 400, title: "invalid request", detail, type: `urn:nacre:error:${code}` };
  return new NacreError(code, detail, { problem });
}
