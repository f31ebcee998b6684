/**
 * `@nacre/context/search`: the search of the HTTP API over what a replica shows, offline too.
 *
 * It is a module of its own, so that a page loads it when somebody searches. This file is its public
 * face, as `index.d.ts` is the package's.
 */

import type { Address, AsOf, Level, Pointer, Replica } from "./index.js";

export interface SearchOptions {
  /** `false` searches by words alone. Otherwise the folder with the files of the models, if it is not
   * `models/` beside the script. They take 4.2 MB, and are loaded on the first question that needs
   * them. */
  models?: boolean | string | URL;
  /** Where the module is, if it is not beside the script: the address of `search_bg.wasm`, its bytes,
   * or the module. `search_plain_bg.wasm` is for hosts without vector instructions. */
  module?: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>;
}

/**
 * Searches what a replica shows: the stored layers with the writes that are not with the server yet,
 * insights and notes on progress. It follows the replica, and closes with it.
 * @throws {NacreError} `closed` for a closed replica; `unavailable` when the module cannot be loaded.
 */
export function openSearch(replica: Replica, options?: SearchOptions): Promise<Search>;

export interface Search {
  /**
   * Answers a question, as `GET /v1/search` does. It waits for no network: while the models are not
   * loaded it finds words, and `ranking` says so.
   * @throws {NacreError} `invalid-request`, `invalid-id`, `invalid-pointer` as the HTTP API;
   * `search-unavailable` for a further page when the models of the first one are not there; `closed`.
   */
  find(question: Question): Promise<Found>;
  /**
   * Resolves when the models are loaded and all contexts are encoded. Until then a context that is not
   * encoded is found by its words.
   * @throws {NacreError} `unavailable` when the models cannot be loaded, or are switched off.
   */
  encoded(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Gives a context a vector that a model of your own made of it: 1 to 4,096 numbers. A question with a
   * `vector` of that model is ranked by it. A context keeps it until its data changes, in memory only.
   * @throws {NacreError} `not-found` without the context; `invalid-request` if it has another number of
   * numbers than the first one.
   */
  giveVector(context: Address, vector: Float32Array): Promise<void>;
  /** What there is to search by. */
  readonly status: SearchStatus;
  /** Ends it. What it held of the replica is freed. */
  close(): void;
}

export interface SearchStatus {
  /** How many contexts are searched. */
  documents: number;
  /** How many of them are encoded, and so are found by what they mean. */
  encoded: number;
  /** The models: switched `off`, `unloaded` until a question needs them, `loading`, `ready`; or
   * `failed`, and then a question tries again after half a minute. */
  models: "off" | "unloaded" | "loading" | "ready" | "failed";
}

/** The members of `GET /v1/search`. */
export interface Question {
  /** The words. `docs/search.md` has the syntax: phrases, exclusions, `level:`, `path:`, `prefix*`. */
  q?: string;
  /** By words, by meaning, or by both. The default is `hybrid`. */
  mode?: "text" | "semantic" | "hybrid";
  /** `stored` finds the layers where a thing is said; `resolved` finds the lowest contexts whose view
   * shows it. The default is `stored`. */
  scope?: "stored" | "resolved";
  /** Only these levels. */
  levels?: Level[];
  /** Only this context and those below it. */
  under?: Address;
  /** Only contexts that changed after this commit, or not before this time. */
  since?: AsOf;
  /** Only contexts whose last change this user made. */
  by?: string;
  /** Only contexts that have this path. */
  path?: Pointer;
  /** 1 to 100; the default is 10. */
  limit?: number;
  /** `next_cursor` of the page before. */
  cursor?: string;
  /** `false` leaves `reasons` out. */
  explain?: boolean;
  /** The question's vector, by the model whose vectors the contexts were given. */
  vector?: Float32Array | number[];
}

/** What scored an answer. Without models it is `words` alone. `embeddings` are vectors that were given, in
 * the place of the built-in model's. */
export type Ranker = "words" | "terms" | "vectors" | "embeddings";

export interface Found {
  /** The best first. */
  items: FoundItem[];
  /** About how many items there are on all pages. */
  total_estimate: number;
  next_cursor: string | null;
  ranking: Ranker[];
}

export interface FoundItem extends Address {
  /** Higher is better. Scores of different questions cannot be compared. */
  score: number;
  /** The place of the snippet in the layer; empty for a note, for the id, and if no word was found. */
  path: Pointer;
  snippet: Fragment[];
  reasons?: Reasons;
  /** With `scope: "resolved"`: the layer where it is said. */
  from?: Address;
}

/** A part of a snippet; `found` if it is a word of the question. */
export interface Fragment {
  text: string;
  found?: true;
}

/** Why a context was found. */
export interface Reasons {
  words: { word: string; field: "title" | "text" | "note" | "key" | "id"; pointer: Pointer; count: number }[];
  /** How near in meaning it is, from 0 to 1; null if that is not known. */
  near: number | null;
  /** The time of its last change. */
  updated_at: string;
}
