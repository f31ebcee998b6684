// The other tabs with the same replica: one of them, the leader, talks to the server.

/** Joins the tabs. `receive` gets their messages; `lead` is called once this tab leads. */
export function joinTabs(name, receive, lead) {
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : undefined;
  channel?.addEventListener("message", ({ data }) => receive(data));
  channel?.unref?.(); // Node would wait for it
  const leaving = new AbortController();
  let release = () => {};
  const locks = globalThis.navigator?.locks;
  if (locks && channel) {
    // It may be given when it is wanted no more.
    const held = () => leaving.signal.aborted || new Promise((resolve) => ((release = resolve), lead()));
    locks.request(name, { signal: leaving.signal }, held).catch((error) => {
      if (!leaving.signal.aborted) throw error;
    });
  } else {
    queueMicrotask(() => leaving.signal.aborted || lead());
  }
  return {
    tell: (message) => channel?.postMessage(message),
    /** `last`: when all is told. */
    leave(last) {
      leaving.abort();
      release();
      last.then(() => channel?.close());
    },
  };
}
