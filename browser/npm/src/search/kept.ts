// What contexts mean, kept in the replica's database, so that the next page does not encode them again.
//
// Each context has one entry, `j/meaning/task/fix-1`: what the models say, and the state in which the
// context was encoded. What is kept saves time and nothing else, so a database that fails is passed
// over. Who erases the replica deletes the database, and this with it.

const STORE = "entries";
const PREFIX = "j/meaning/";
/** The keys that begin so, for `0` follows `/`. */
const range = (): IDBKeyRange => IDBKeyRange.bound(PREFIX, "j/meaning0");
/** The most contexts whose meaning is kept, at about 700 bytes each. */
const MOST = 10_000;

/** What a context means. */
export interface Encoded {
  /** The state of the context. Any other one may mean something else. */
  state: string;
  /** What the models say, for the core. */
  meaning: Uint8Array;
}

export class Kept {
  readonly #db: Promise<IDBDatabase | undefined>;
  /** The names of contexts with an entry. */
  readonly #names = new Set<string>();
  /** What is to be written next; `undefined` removes. */
  readonly #changes = new Map<string, Encoded | undefined>();
  #writing: Promise<void> | undefined;

  /** `name` of the database that the replica has made; null if it keeps nothing. */
  constructor(name: string | null) {
    this.#db = name === null ? Promise.resolve(undefined) : open(name).catch(() => undefined);
  }

  /** All entries, by the names of their contexts. */
  async read(): Promise<[name: string, encoded: Encoded][]> {
    const db = await this.#db;
    if (!db) return [];
    try {
      const store = db.transaction(STORE).objectStore(STORE);
      const [keys, values] = await Promise.all([store.getAllKeys(range()), store.getAll(range())].map(resultOf));
      const names = (keys as string[]).map((key) => key.slice(PREFIX.length));
      for (const name of names) this.#names.add(name);
      return names.map((name, at) => [name, (values as Encoded[])[at] as Encoded]);
    } catch {
      return []; // encoded again
    }
  }

  /** Keeps what a context means. */
  put(name: string, encoded: Encoded): void {
    if (this.#names.size >= MOST && !this.#names.has(name)) return;
    this.#names.add(name);
    this.#change(name, encoded);
  }

  /** Removes what a context meant. */
  remove(name: string): void {
    if (this.#names.delete(name)) this.#change(name, undefined);
  }

  /** Ends it once all is written. */
  async close(): Promise<void> {
    await this.#writing;
    (await this.#db)?.close();
  }

  /** All changes of a moment are one transaction. */
  #change(name: string, encoded: Encoded | undefined): void {
    this.#changes.set(name, encoded);
    this.#writing ??= this.#write().catch(() => {});
  }

  async #write(): Promise<void> {
    const db = await this.#db;
    while (db && this.#changes.size > 0) {
      const tx = db.transaction(STORE, "readwrite", { durability: "relaxed" });
      const store = tx.objectStore(STORE);
      for (const [name, encoded] of this.#changes) {
        if (encoded) store.put(encoded, PREFIX + name);
        else store.delete(PREFIX + name);
      }
      this.#changes.clear();
      await new Promise((resolve) => (tx.oncomplete = tx.onabort = resolve));
    }
    this.#writing = undefined;
  }
}

/** Opens a database that is there. It gives way when the replica is erased. */
async function open(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => opening.transaction?.abort(); // it is gone: none is made
  const db = await resultOf(opening);
  db.onversionchange = () => db.close();
  return db;
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
