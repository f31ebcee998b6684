// Unsaved edits, by user and place: they survive a look elsewhere, and those of layers a reload too.
//
// A layer's draft is kept in the tab's session storage: as it was typed, for it may be half a
// document, and with the stored layer that it began from. So a secret that was just typed into a
// layer stands there in the clear until the draft is saved or discarded, the user signs out, or the
// tab is closed. A stored secret does not: the layer holds a marker in its place. No other edit goes
// to storage. While there is any draft, the browser asks before it closes the page.

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

import { type Address, key } from "./address";
import { parse, text } from "./json";

/** The number is the form of a kept draft: another build does not misread it. */
const PREFIX = "nacre.draft.1 ";

const drafts = new Map<string, unknown>();
const listeners = new Set<() => void>();

for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX))) {
  try {
    drafts.set(name.slice(PREFIX.length), parse(sessionStorage.getItem(name) ?? ""));
  } catch {
    sessionStorage.removeItem(name); // it was not written by this page
  }
}
guard();

export const draftOf = <T>(place: string): T | undefined => drafts.get(place) as T | undefined;

/** How many drafts there are. */
export const draftCount = (): number => drafts.size;

/** Keeps a draft, or drops it if there is none; `stored` says whether it survives a reload. */
export function keepDraft(place: string, draft: unknown, stored = false): void {
  const had = drafts.has(place);
  if (draft === undefined) drafts.delete(place);
  else drafts.set(place, draft);
  sessionStorage.removeItem(PREFIX + place);
  if (stored && draft !== undefined) {
    try {
      sessionStorage.setItem(PREFIX + place, text(draft));
    } catch {
      // It is too large for the storage. It is still in memory, and the browser asks.
    }
  }
  if (had === (draft !== undefined)) return;
  guard();
  for (const tell of listeners) tell();
}

/** Drops all drafts: the user signs out. */
export const dropDrafts = (): void => [...drafts.keys()].forEach((place) => keepDraft(place, undefined));

/** The place of a context's draft: of its layer, of a value, of a note. No name holds a line break. */
export const placeOf = (user: string, of: Address, what: string): string => `${user}\n${key(of)}\n${what}`;

/** The places of all drafts that begin with `prefix`, without it; again when one is begun or gone. */
export function useDrafts(prefix: string): string[] {
  const [, setChanges] = useState(0);
  useEffect(() => {
    const tell = () => setChanges((changes) => changes + 1);
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, []);
  return [...drafts.keys()].filter((place) => place.startsWith(prefix)).map((place) => place.slice(prefix.length));
}

/** Gives an editor the focus if it opens with what was put into it just now. */
export function useFocusWhenFilled(field: RefObject<HTMLElement | null>, filled: boolean): void {
  useEffect(() => {
    if (filled && document.activeElement?.id === "room") field.current?.focus();
  }, []);
}

/** The browser's own question before the page closes. */
const ask = (event: Event) => event.preventDefault();

function guard(): void {
  if (drafts.size > 0) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}
