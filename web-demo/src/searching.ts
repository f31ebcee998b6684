// Asks the package's search, which answers on this device. The search is loaded with this script, its
// models by the first question that has words.

import type { Replica } from "@nacre/context";
import { type Found, type FoundItem, type Question, type Search, openSearch } from "@nacre/context/search";
import { useEffect, useRef, useState } from "preact/hooks";

import { type Value, at, equal, escapeName, names } from "./json";
import { layerOf, show } from "./reading";

export type { FoundItem };
export type Scope = NonNullable<Question["scope"]>;
export type Mode = NonNullable<Question["mode"]>;

/** What was typed and chosen. */
export interface Asked {
  text: string;
  scope: Scope;
  mode: Mode;
}

export interface Answer extends Found {
  /** The question that it answers. */
  asked: Asked;
}

/** How long typing must pause before it is searched, in milliseconds. */
const PAUSE = 90;
/** How often to look how many contexts are encoded, in milliseconds. */
const LOOK = 500;
/** Items of a page. */
const PAGE = 20;
/** The most that one question may ask for. */
const MOST = 100;

const searches = new WeakMap<Replica, Promise<Search>>();

/** The search of a replica, which closes with it. The Worker has the models among its assets. */
function searchOf(replica: Replica): Promise<Search> {
  const search = searches.get(replica) ?? openSearch(replica, { models: "/models" });
  searches.set(replica, search);
  search.catch(() => searches.delete(replica));
  return search;
}

/** The question to ask while somebody types; `undefined` if there is nothing to search for. */
export function questionOf({ text, scope, mode }: Asked): Question | undefined {
  const q = text.trim();
  if (q === "") return undefined;
  const words = q.split(/\s+/).filter((part) => !/^-?(level|path):/.test(part));
  // Filters need no models.
  const ranks = words.length === 0 ? "text" : mode;
  return { q: ranks === "semantic" ? q : begun(q, words), scope, mode: ranks };
}

/**
 * The last word may not be finished: words that begin like it are searched, too. In a longer query an
 * asterisk would be no syntax any more.
 */
function begun(q: string, words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  const isOpen = words.length <= 2 && q.endsWith(last) && /^[\p{L}\p{N}]{2,}$/u.test(last) && !q.includes('"');
  return isOpen ? `${q} ${last}*` : q;
}

export interface Searching {
  /** The last answer, also while the next one is being made. */
  answer: Answer | undefined;
  /** Whether it is the answer to what is asked now. */
  isCurrent: boolean;
  fault: unknown;
  /** What there is to search by; `undefined` until the search is open. */
  status: Search["status"] | undefined;
  /** Brings the next page. */
  more: () => void;
}

/** Answers while somebody types and looks; the last question wins. `revision` changes when the store does. */
export function useSearching(replica: Replica, asked: Asked, revision: number, isSeen: boolean): Searching {
  const [answer, setAnswer] = useState<Answer>();
  const [fault, setFault] = useState<unknown>();
  const { status, isMeant, follow } = useMeaning(isSeen);
  const turn = useRef(0);
  const { text, scope, mode } = asked;
  const ask = async (before: readonly FoundItem[], cursor: string | null) => {
    const mine = ++turn.current;
    const question = questionOf(asked);
    if (!question) return;
    try {
      const search = await searchOf(replica);
      if (mine !== turn.current) return;
      // As many again as there were, when the store has changed.
      const again = sameAsked(answer?.asked, asked) ? (answer?.items.length ?? 0) : 0;
      const limit = cursor ? PAGE : Math.min(MOST, Math.max(PAGE, again));
      const found = await search.find({ ...question, limit, ...(cursor && { cursor }) });
      if (mine !== turn.current) return;
      setAnswer({ ...found, asked, items: [...before, ...found.items] });
      setFault(undefined);
      follow(search);
    } catch (error) {
      if (mine !== turn.current) return;
      setFault(error);
      if (before.length === 0) setAnswer(undefined);
    }
  };
  useEffect(() => {
    if (text.trim() === "") {
      turn.current++;
      setAnswer(undefined);
      setFault(undefined);
      return;
    }
    if (!isSeen) return;
    const timer = setTimeout(() => void ask([], null), PAUSE);
    return () => clearTimeout(timer);
  }, [replica, text, scope, mode, revision, isMeant, isSeen]);
  const isCurrent = sameAsked(answer?.asked, asked);
  const more = () => {
    if (answer?.next_cursor && isCurrent) void ask(answer.items, answer.next_cursor);
  };
  return { answer, isCurrent, fault, status, more };
}

const sameAsked = (a: Asked | undefined, b: Asked): boolean =>
  a?.text === b.text && a.scope === b.scope && a.mode === b.mode;

/** Follows how far contexts are encoded. `isMeant` turns true when all of them are. */
function useMeaning(isSeen: boolean) {
  const [search, follow] = useState<Search>();
  const [status, setStatus] = useState<Search["status"]>();
  const stage = status?.models;
  const isMeant = stage === "ready" && status?.encoded === status?.documents;
  useEffect(() => {
    if (!search || !isSeen) return;
    const look = () =>
      setStatus((old) => {
        const now = search.status;
        const isSame = old?.models === now.models && old.encoded === now.encoded && old.documents === now.documents;
        return isSame ? old : now;
      });
    look();
    const timer = setInterval(look, LOOK);
    return () => clearInterval(timer);
  }, [search, isSeen]);
  return { status, isMeant, follow };
}

/** Where the view of a context shows the place of an item; `undefined` for a note or an id. */
export function pointerIn(replica: Replica, item: FoundItem): string | undefined {
  const { level, id, path, from } = item;
  if (path === "") return undefined;
  const view = show(replica, { level, id }).data;
  return from ? reach(view, path) : trace(view, layerOf(replica, { level, id }).data, path);
}

/** The way to a place of a layer in the view: an item of a list may stand at another index there. */
function trace(view: Value, layer: Value, path: string): string {
  const wanted = at(layer, path);
  const way = names(path).map((name) => `/${escapeName(name)}`);
  let pointer = "";
  for (const [depth, step] of way.entries()) {
    const here = at(view, pointer);
    const rest = way.slice(depth + 1).join("");
    const index = Array.isArray(here) ? here.findLastIndex((item) => equal(at(item, rest), wanted)) : -1;
    const next = pointer + (index < 0 ? step : `/${index}`);
    if (at(view, next) === undefined) break;
    pointer = next;
  }
  return pointer;
}

/** As much of a path as there is. */
function reach(value: Value, path: string): string {
  let pointer = path;
  while (pointer !== "" && at(value, pointer) === undefined) pointer = pointer.slice(0, pointer.lastIndexOf("/"));
  return pointer;
}

/** Whether it was found by a note alone. */
export const isNote = ({ path, reasons }: FoundItem): boolean =>
  path === "" && (reasons?.words.some(({ field }) => field === "note") ?? false);

/** The words that were found and where, each once: `index`, `title`. */
export function wordsOf({ reasons }: FoundItem): { word: string; field: string }[] {
  const words = new Map((reasons?.words ?? []).map(({ word, field }) => [word, field]));
  return [...words].map(([word, field]) => ({ word, field }));
}
