// What a replica holds of a store: all of it, or a context with what is below and above it.

/** Topics that hold all that is held here: what is below, and each context above. */
export function topicsOf(replica) {
  const { under } = replica;
  if (!under || under.level === "global") return [{ subtree: { level: "global", id: "global" } }];
  const topics = [{ subtree: under }, { context: { level: "global", id: "global" } }];
  if (replica.has(under.level, under.id)) {
    for (const { level, id } of replica.resolve(under.level, under.id).chain) {
      if (level !== "global" && level !== under.level) topics.push({ context: { level, id } });
    }
  }
  return topics;
}

/** Whether all above the context that a part is held for is here, if that is there at all. */
export function isWhole(replica) {
  try {
    if (replica.under) replica.resolveBytes(replica.under.level, replica.under.id);
  } catch (error) {
    return error.code !== "internal"; // a parent is missing
  }
  return true;
}

/** Whether a change takes a context to another place: out of the part, or below what is not held. */
export function isMoved(replica, { level, context_id, action, parent }) {
  if (action === "move") return true;
  return parent !== undefined && replica.has(level, context_id) && replica.get(level, context_id).parent !== parent;
}
