// Where entries are kept: keys and bytes in IndexedDB, or nowhere.
//
// The core names the entries (`r/` rows, `s` state, `f` flight, `q/` queue, `c/` conflicts); what
// begins with `j/` is this script's. Every commit is one transaction and gets the next number, by
// which other tabs see that they have missed none.

import { deleteDB, openDB } from "idb";
import { Core } from "./core.js";

const STORE = "entries";
const REVISION = "j/revision";
const PLACE = "j/place";

/** Opens the database, made if it is not there. `ended` is called when it is deleted elsewhere. */
export async function openStorage(name, ended) {
  const db = await openDB(name, 1, {
    upgrade: (db) => void db.createObjectStore(STORE),
    blocking: ended,
    terminated: ended,
  });
  const begin = (mode) => {
    const tx = db.transaction(STORE, mode, { durability: "relaxed" });
    tx.done.catch(() => {}); // whoever waits for a part of it is told
    return tx;
  };
  return {
    async load() {
      const tx = begin("readonly");
      const [keys, values] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
      const entries = keys.map((key, at) => [key, values[at]]);
      const own = new Map(entries.filter(([key]) => key.startsWith("j/")));
      return {
        entries: entries.filter(([key]) => !key.startsWith("j/")),
        revision: own.get(REVISION) ?? 0,
        own,
      };
    },

    /** Keeps entries, and `queue` under the next places; says what was kept. */
    async commit({ entries, anew = false, queue = [] }) {
      const tx = begin("readwrite");
      const { store } = tx;
      const [revision = 0, place = 0] = await Promise.all([store.get(REVISION), store.get(PLACE)]);
      const placed = queue.map((kept, at) => [place + 1 + at, kept]);
      const writes = [store.put(revision + 1, REVISION)];
      if (anew) {
        for (const range of [["c/", "c0"], ["f", "f"], ["r/", "r0"], ["s", "s"]]) {
          writes.push(store.delete(IDBKeyRange.bound(...range)));
        }
      }
      for (const [key, value] of entries) {
        writes.push(value === undefined ? store.delete(key) : store.put(value, key));
      }
      for (const [n, kept] of placed) writes.push(store.put(kept, Core.queue_key(n)));
      if (placed.length > 0) writes.push(store.put(place + placed.length, PLACE));
      await Promise.all([...writes, tx.done]);
      return { revision: revision + 1, placed };
    },

    close: () => db.close(),
    erase: () => (db.close(), deleteDB(name)),
  };
}

/** Keeps nothing: for what has no IndexedDB. */
export function openMemory() {
  let [revision, place] = [0, 0];
  return {
    load: async () => ({ entries: [], revision, own: new Map() }),
    commit: async ({ queue = [] }) => ({
      revision: ++revision,
      placed: queue.map((kept) => [++place, kept]),
    }),
    close() {},
    async erase() {},
  };
}

/** The databases whose names begin so, where that can be asked. */
export async function namesOf(prefix) {
  const all = (await globalThis.indexedDB?.databases?.()) ?? [];
  return all.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}
