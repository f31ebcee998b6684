// Reads from the replica. Answers are immediate, and are read again whenever something changes:
// here, in another tab or elsewhere.

import type { AsOf, Context, ExplainedView, PendingWrite, Replica } from "@nacre/context";
import { createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";

import type { Address } from "./address";
import { type Members, parse } from "./json";

/** The replica of this page, a number that changes with every change, and what the token may do. */
export interface Opened {
  replica: Replica;
  revision: number;
  /** Whether the token's scope lets it write. */
  mayWrite: boolean;
}

export const OpenedContext = createContext<Opened | undefined>(undefined);

export function useReplica(): Opened {
  const opened = useContext(OpenedContext);
  if (!opened) throw new Error("no replica is open");
  return opened;
}

/** The refused ones among writes. */
export const refusedOf = (writes: readonly PendingWrite[]): PendingWrite[] =>
  writes.filter(({ state }) => state === "refused");

/** An answer, or the error instead. */
export interface Answer<T> {
  value: T | undefined;
  error: unknown;
}

/** Reads now, and again whenever the store or one of `inputs` changes. */
export function useRead<T>(read: (replica: Replica) => T, inputs: readonly unknown[]): Answer<T> {
  const { replica, revision } = useReplica();
  return useMemo(() => attempt(() => read(replica)), [replica, revision, ...inputs]);
}

export function attempt<T>(read: () => T): Answer<T> {
  try {
    return { value: read(), error: undefined };
  } catch (error) {
    return { value: undefined, error: error ?? new Error("failed") };
  }
}

/** The value after it has not changed for a while (debounced). */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** A stored layer for display, with every digit. */
export type Held = Omit<Context, "data"> & { data: Members };

export function layerOf(replica: Replica, { level, id }: Address, past: { version?: number } = {}): Held {
  return parse(replica.getText(level, id, past)) as unknown as Held;
}

/** A view for display: its document with every digit. */
export type Shown = Omit<ExplainedView, "data"> & { data: Members };

export function show(replica: Replica, { level, id }: Address, at?: AsOf): Shown {
  const past = at === undefined ? {} : { at };
  const view = replica.explain(level, id, past);
  return { ...view, data: parse(replica.resolveText(level, id, past)) as Members };
}
