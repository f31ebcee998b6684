// The search field on top. What is found is a room of its own, which loads when the field gets the
// focus.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Address, Tab } from "./address";
import { later } from "./later";
import { Glyph } from "./parts";

const Search = later(() => import("./search").then((room) => room.Search));

/** Opens a context, and shows one place of its view. */
export type OnFind = (address: Address, tab: Tab, pointer?: string) => void;

const FIELDS = "input, textarea, select, [contenteditable]";

export function Find({ onFind }: { onFind: OnFind }) {
  const field = useRef<HTMLInputElement>(null);
  /** What had the focus before the field. */
  const before = useRef<EventTarget | null>(null);
  const [wanted, setWanted] = useState(false);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      const control = ctrlKey || metaKey;
      const asks = control ? key === "k" : key === "/" && !(target as Element).closest?.(FIELDS);
      if (!asks || altKey || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <search class="find">
      <label class="filter">
        <Glyph name="search" />
        <span class="unseen">Search</span>
        <input
          ref={field}
          role="combobox"
          aria-expanded="false"
          aria-keyshortcuts="/ Control+K"
          placeholder="Search ( / )"
          autocomplete="off"
          spellcheck={false}
          onFocus={({ relatedTarget }) => {
            before.current = relatedTarget;
            setWanted(true);
          }}
        />
      </label>
      {wanted && <Search field={field} before={before} onFind={onFind} />}
    </search>
  );
}
