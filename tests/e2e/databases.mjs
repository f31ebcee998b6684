// The databases of stopped objects, opened from outside.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Opens every object's database in a folder; calls `look(database, owner)`, owner undefined for one without tables. */
export function withDatabases(persist, look) {
  const files = readdirSync(persist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{64}\.sqlite$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes("UserObject")); // D1 keeps its databases in the same way
  for (const file of files) {
    const database = new DatabaseSync(file);
    try {
      const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_master WHERE name = 'meta'").get();
      look(database, tables ? database.prepare("SELECT owner FROM meta").get().owner : undefined);
    } finally {
      database.close();
    }
  }
}
