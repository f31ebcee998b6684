// What the server's audit trail tells: who did what, when, and never the values.

/** The deletes of a part of the trail, newest first, of what was not changed after them. */
export function deletedIn(commits) {
  const items = [];
  const later = new Set();
  for (const { at, by, deeds } of commits) {
    const gone = deeds.filter(({ action }) => action === "delete");
    const { level, id } = gone.at(-1) ?? {}; // what is below goes first
    if (level && !later.has(`${level}/${id}`)) items.push({ level, id, at, by, count: gone.length });
    for (const { level, id } of deeds) later.add(`${level}/${id}`);
  }
  return items;
}
