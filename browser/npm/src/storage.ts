// Where the copy is kept: keys and values in IndexedDB, or nowhere.
//
// The core names its entries (`r/` rows, `s` state, `f` flight, `q/` queue, `c/` conflicts). Entries
// whose key begins with `j/` belong to this script. Every commit is one transaction and gets the next
// number, by which other tabs see that they have missed none.

import { type IDBPObjectStore, deleteDB, openDB } from "idb";
import { Core, type Entry } from "./core.ts";

const STORE = "entries";
const REVISION = "j/revision";
const PLACE = "j/place";
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
}

export interface Committed {
  revision: number;
  placed: [place: number, write: Uint8Array][];
}

export interface Storage {
  load(): Promise<Kept>;
  commit(commit: Commit): Promise<Committed>;
  close(): void;
  erase(): Promise<void>;
}

/** Opens the database, made if it is not there. `ended` is called when it is deleted elsewhere. */
export async function openStorage(name: string, ended: () => void): Promise<Storage> {
  const db = await openDB(name, 1, {
    upgrade: (db) => void db.createObjectStore(STORE),
    blocking: ended,
    terminated: ended,
  });
  const begin = <M extends "readonly" | "readwrite">(mode: M): Transaction<M> => {
    const tx = db.transaction(STORE, mode, { durability: "relaxed" });
    tx.done.catch(() => {}); // the caller is told by the request that fails
    return tx;
  };
  return {
    async load() {
      const { store } = begin("readonly");
      const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()]);
      const all = keys.map((key, at): [string, unknown] => [String(key), values[at]]);
      const own = new Map(all.filter(([key]) => key.startsWith("j/")));
      return {
        entries: all.filter(([key]) => !key.startsWith("j/")) as Entry[],
        revision: (own.get(REVISION) as number | undefined) ?? 0,
        own,
      };
    },

    async commit({ entries = [], own = [], anew = false, queue = [] }) {
      const { store, done } = begin("readwrite");
      const [revision = 0, place = 0]: (number | undefined)[] = await Promise.all([
        store.get(REVISION),
        store.get(PLACE),
      ]);
      const placed = queue.map((write, at): [number, Uint8Array] => [place + 1 + at, write]);
      const writes: Promise<unknown>[] = [store.put(revision + 1, REVISION)];
      if (anew) for (const range of COPY) writes.push(store.delete(IDBKeyRange.bound(range[0], range[1])));
      for (const [key, value] of [...entries, ...own]) {
        writes.push(value === undefined ? store.delete(key) : store.put(value, key));
      }
      for (const [n, write] of placed) writes.push(store.put(write, Core.queue_key(n)));
      if (placed.length > 0) writes.push(store.put(place + placed.length, PLACE));
      await Promise.all([...writes, done]);
      return { revision: revision + 1, placed };
    },

    close: () => db.close(),
    erase: () => (db.close(), deleteDB(name)),
  };
}

interface Transaction<M extends "readonly" | "readwrite"> {
  store: IDBPObjectStore<unknown, ["entries"], "entries", M>;
  done: Promise<void>;
}

/** Keeps nothing: for hosts without IndexedDB. */
export function openMemory(): Storage {
  let [revision, place] = [0, 0];
  return {
    load: async () => ({ entries: [], revision, own: new Map() }),
    commit: async ({ queue = [] }) => ({
      revision: ++revision,
      placed: queue.map((write) => [++place, write]),
    }),
    close() {},
    async erase() {},
  };
}

/** The databases whose names begin so, where the host lists them. */
export async function namesOf(prefix: string): Promise<string[]> {
  const all = (await (globalThis.indexedDB as Partial<IDBFactory> | undefined)?.databases?.()) ?? [];
  return all.map(({ name }) => name ?? "").filter((name) => name.startsWith(prefix));
}
