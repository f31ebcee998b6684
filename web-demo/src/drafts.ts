// Unsaved edits, by user and place: they survive a look elsewhere, and those of layers a reload too.
//
// A layer's draft is kept in the tab's session storage, encrypted: as it was typed, for it may be half
// a document, and with the stored layer that it began from. Where nothing can be encrypted it is in
// memory only, like any other edit. While there is any draft, the browser asks before it closes the
// page.

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

import { type Address, key } from "./address";
import { parse, text } from "./json";

/** The number is the form of a kept draft: another build does not misread it. */
const PREFIX = "nacre.draft.2 ";

const drafts = new Map<string, unknown>();
const listeners = new Set<() => void>();

/** Reads the drafts that the tab has kept; to be awaited before anything shows. */
export async function readDrafts(): Promise<void> {
  for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith("nacre.draft."))) {
    try {
      const { unseal } = await import("./vault");
      drafts.set(name.slice(PREFIX.length), parse(await unseal(sessionStorage.getItem(name) ?? "")));
    } catch {
      sessionStorage.removeItem(name); // another build has written it
    }
  }
  guard();
}

export const draftOf = <T>(place: string): T | undefined => drafts.get(place) as T | undefined;

/** How many drafts there are. */
export const draftCount = (): number => drafts.size;

/** Keeps a draft, or drops it if there is none; `stored` says whether it survives a reload. */
export function keepDraft(place: string, draft: unknown, stored = false): void {
  const had = drafts.has(place);
  if (draft === undefined) drafts.delete(place);
  else drafts.set(place, draft);
  if (stored && draft !== undefined) void store(place, draft);
  else sessionStorage.removeItem(PREFIX + place);
  if (had === (draft !== undefined)) return;
  guard();
  for (const tell of listeners) tell();
}

async function store(place: string, draft: unknown): Promise<void> {
  const { seal } = await import("./vault");
  const sealed = await seal(text(draft));
  if (sealed === undefined || drafts.get(place) !== draft) return;
  try {
    sessionStorage.setItem(PREFIX + place, sealed);
  } catch {
    // It is too large for the storage. It is still in memory, and the browser asks.
    sessionStorage.removeItem(PREFIX + place);
  }
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
