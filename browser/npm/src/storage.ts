// Where the copy is kept: keys and values in IndexedDB, or nowhere.
//
// The core names its entries (`r/` rows, `s` state, `f` flight, `q/` queue, `c/` conflicts). Entries
// whose key begins with `j/` belong to this script. Every commit is one transaction and gets the next
// number, by which other tabs see that they have missed none. What waits to be sent is encrypted.

import { Core, type Entry } from "./core.ts";
import { refused } from "./error.ts";
import { newKeyOfQueue, seal, unseal } from "./vault.ts";

/** How many milliseconds the host's storage may take to answer. */
const PATIENCE = 5000;
const STORE = "entries";
const REVISION = "j/revision";
const PLACE = "j/place";
const TERM = "j/term";
const KEY = "j/key";
/** The keys of the copy itself. The queue (`q/`) stays when the copy is replaced. */
const COPY = [
  ["c/", "c0"],
  ["f", "f"],
  ["r/", "r0"],
  ["s", "s"],
] as const;

/** An entry of this script. */
export type OwnEntry = [key: `j/${string}`, value: unknown];

export interface Kept {
  entries: Entry[];
  revision: number;
  /** The script's own entries. */
  own: Map<string, unknown>;
}

export interface Commit {
  entries?: readonly Entry[];
  own?: readonly OwnEntry[];
  /** Whether the entries replace the copy. */
  anew?: boolean;
  /** Writes, each of which gets the next place in the queue. */
  queue?: readonly Uint8Array[];
  /** The term of the leader whose commit it is (see `tabs`). */
  term?: number;
}

export interface Committed {
  revision: number;
  placed: [place: number, write: Uint8Array][];
}

export interface Storage {
  load(): Promise<Kept>;
  /** Keeps it all or nothing; `undefined` when another leader has claimed a term since. */
  commit(commit: Commit): Promise<Committed | undefined>;
  /** The last term that was claimed; `next` claims the one after it. */
  term(next: boolean): Promise<number>;
  close(): void;
  erase(): Promise<void>;
}

/** Opens the database, made if it is not there. `ended` is called when it is deleted elsewhere. */
export async function openStorage(name: string, ended: () => void): Promise<Storage> {
  const db = await answered(() => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    return resultOf(opening);
  });
  db.onversionchange = db.onclose = ended;
  const begin = (mode: IDBTransactionMode): Transaction => {
    const tx = db.transaction(STORE, mode, { durability: "relaxed" });
    const done = new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error); // a request that fails ends here as well
    });
    done.catch(() => {}); // the caller may have been told by a request
    return { store: tx.objectStore(STORE), done };
  };
  const made = await newKeyOfQueue();
  // The key that the first tab has made.
  const key = await answered(async () => {
    const { store, done } = begin("readwrite");
    const held: CryptoKey | undefined = (await resultOf(store.get(KEY))) ?? made;
    store.put(held, KEY);
    await done;
    return held;
  });
  return {
    async load() {
      const { store } = begin("readonly");
      // A large copy takes its time.
      const [keys, values] = await answered(
        () => Promise.all([resultOf(store.getAllKeys()), resultOf(store.getAll())]),
        4 * PATIENCE,
      );
      const own = new Map<string, unknown>();
      const entries: Entry[] = [];
      for (const [at, name] of (keys as string[]).entries()) {
        const value = await unseal(key, values[at]);
        if (name.startsWith("j/")) own.set(name, value);
        else entries.push([name, value as Uint8Array]);
      }
      return { entries, revision: (own.get(REVISION) as number | undefined) ?? 0, own };
    },

    async commit({ entries = [], own = [], anew = false, queue = [], term }) {
      // First: a transaction ends while something else is waited for.
      const sealed = await Promise.all(entries.map(async ([name, value]) => [name, await seal(key, name, value)]));
      const writes = await Promise.all(queue.map((write) => seal(key, "q", write)));
      const { store, done } = begin("readwrite");
      const [revision = 0, place = 0, last = 0]: (number | undefined)[] = await Promise.all([
        resultOf(store.get(REVISION)),
        resultOf(store.get(PLACE)),
        resultOf(store.get(TERM)),
      ]);
      if (term !== undefined && term !== last) return undefined;
      const placed = queue.map((write, at): [number, Uint8Array] => [place + 1 + at, write]);
      store.put(revision + 1, REVISION);
      if (anew) for (const range of COPY) store.delete(IDBKeyRange.bound(range[0], range[1]));
      for (const [name, value] of [...sealed, ...own] as [string, unknown][]) {
        if (value === undefined) store.delete(name);
        else store.put(value, name);
      }
      writes.forEach((write, at) => store.put(write, Core.queue_key(place + 1 + at)));
      store.put(place + placed.length, PLACE);
      await done;
      return { revision: revision + 1, placed };
    },

    async term(next) {
      const { store, done } = begin("readwrite"); // after the commits under way
      const term = ((await resultOf(store.get(TERM))) ?? 0) + +next;
      if (next) store.put(term, TERM);
      await done;
      return term;
    },

    close: () => db.close(),
    async erase() {
      db.close();
      await resultOf(indexedDB.deleteDatabase(name));
    },
  };
}

interface Transaction {
  store: IDBObjectStore;
  done: Promise<void>;
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Keeps nothing: for hosts without IndexedDB. */
export function openMemory(): Storage {
  let [revision, place] = [0, 0];
  return {
    load: async () => ({ entries: [], revision, own: new Map() }),
    commit: async ({ queue = [] }) => ({
      revision: ++revision,
      placed: queue.map((write) => [++place, write]),
    }),
    term: async () => 0,
    close() {},
    async erase() {},
  };
}

/** Whether the host has IndexedDB. To ask may be an error already, where a page may keep nothing. */
export const isThere = (): Promise<boolean> => answered(async () => globalThis.indexedDB !== undefined);

/** The databases whose names begin so, where the host lists them. */
export async function namesOf(prefix: string): Promise<string[]> {
  const all = (await answered(async () => (indexedDB as Partial<IDBFactory>).databases?.())) ?? [];
  return all.map(({ name }) => name ?? "").filter((name) => name.startsWith(prefix));
}

/** What the host's storage answers. Whatever it throws, and that it does not answer, is one error. */
async function answered<T>(ask: () => Promise<T>, patience = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (cause) {
    const detail = 'IndexedDB cannot be used: allow this site to store data, or open with `storage: "memory"`';
    throw refused("store-unavailable", 503, detail, { cause });
  } finally {
    clearTimeout(timer);
  }
}
