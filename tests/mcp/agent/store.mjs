// What the scripted agents work on: the same facts in Nacre and in the memory server.

/** Layers from the top; names of contexts are those of the memory server's entities too. */
export const LAYERS = [
  {
    level: "global",
    context_id: "global",
    data: { style: "plain sentences", review: { approvals: 1 }, models: { default: "small", limit: 8000 } },
  },
  {
    level: "project",
    context_id: "shop",
    data: {
      title: "Web shop",
      database: { host: "db.example", port: 5432, pool: { size: 20, timeout_ms: 500 } },
      review: { approvals: 2 },
      owners: ["ann", "ben"],
    },
  },
  {
    level: "branch",
    context_id: "checkout",
    parent: "shop",
    data: { goal: "one-page checkout", deadline: "2026-12-20" },
  },
  {
    level: "task",
    context_id: "fix-login",
    parent: "checkout",
    data: { title: "Login times out", step: "reproduce", database: { pool: { size: 40 } } },
  },
  { level: "task", context_id: "cart-totals", parent: "checkout", data: { title: "Totals are wrong", step: "done" } },
];

/** One observation for each value: `database.pool.size: 20`. */
function observations(value, path = []) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [`${path.join(".")}: ${Array.isArray(value) ? value.join(", ") : value}`];
  }
  return Object.entries(value).flatMap(([name, inner]) => observations(inner, [...path, name]));
}

/** The same as entities with their relations. */
export const GRAPH = {
  entities: LAYERS.map(({ level, context_id, data }) => ({
    name: context_id,
    entityType: level,
    observations: observations(data),
  })),
  relations: LAYERS.filter(({ level }) => level !== "global").map(({ context_id, parent }) => ({
    from: context_id,
    to: parent ?? "global",
    relationType: "belongs to",
  })),
};
