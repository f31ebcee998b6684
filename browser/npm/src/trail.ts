// Reads the server's audit trail, which says who did what and when, and never holds values.

import type { DeletedContext, Level } from "../index.js";

/** One commit of the trail, newest first in a page of it. */
export interface Commit {
  at: string;
  by: string;
  deeds: { action: string; level: Level; id: string }[];
}

/** The deletes among commits that nothing later in the same commits has touched, newest first. */
export function deletedIn(commits: Commit[]): DeletedContext[] {
  const items: DeletedContext[] = [];
  const later = new Set<string>();
  for (const { at, by, deeds } of commits) {
    const gone = deeds.filter(({ action }) => action === "delete");
    const top = gone.at(-1); // the contexts below are deleted first
    if (top && !later.has(`${top.level}/${top.id}`)) {
      items.push({ level: top.level, id: top.id, at, by, count: gone.length });
    }
    for (const { action, level, id } of deeds) if (action !== "reveal") later.add(`${level}/${id}`);
  }
  return items;
}
