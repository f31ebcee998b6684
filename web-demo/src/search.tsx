// What the search field finds: a list of contexts under the field. The field keeps the focus while
// the arrows move in the list (a combobox by the ARIA practices).

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { LEVELS } from "./address";
import { Choice } from "./choice";
import type { OnFind } from "./find";
import { Fault, Glyph, Layer, Tag, When } from "./parts";
import { useReplica } from "./reading";
import {
  type Answer,
  type FoundItem,
  type Mode,
  type Scope,
  type Searching,
  isNote,
  pointerIn,
  useSearching,
  wordsOf,
} from "./searching";
import { UserText } from "./user-text";

const LIST = "found";
const optionOf = (index: number): string => `found-${index}`;

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["stored", "Layers"],
  ["resolved", "Views"],
];
const MODES: readonly (readonly [Mode, string])[] = [
  ["text", "Words"],
  ["semantic", "Meaning"],
  ["hybrid", "Both"],
];

interface Props {
  field: RefObject<HTMLInputElement | null>;
  /** What had the focus before the field. */
  before: RefObject<EventTarget | null>;
  onFind: OnFind;
}

export function Search({ field, before, onFind }: Props) {
  const { replica, revision } = useReplica();
  const [text, setText] = useState(() => field.current?.value ?? "");
  const [scope, setScope] = useState<Scope>("stored");
  const [mode, setMode] = useState<Mode>("hybrid");
  const [open, setOpen] = useOpen(field);
  const searching = useSearching(replica, { text, scope, mode }, revision, open);
  const { answer, isCurrent } = searching;
  const items = answer?.items ?? [];
  const [active, setActive] = useState(0);
  useEffect(() => setActive(0), [answer?.asked]);
  /** Whether Enter was pressed before the answer was there. */
  const hurries = useRef(false);
  useEffect(() => {
    if (!isCurrent || !hurries.current) return;
    hurries.current = false;
    choose(items[0]);
  }, [isCurrent, answer]);
  const option = open && items[active] ? optionOf(active) : undefined;

  const leave = (to: EventTarget | null) => {
    setOpen(false);
    if (to instanceof HTMLElement && to.isConnected && to !== document.body) to.focus();
    else document.getElementById("room")?.focus();
  };
  const clear = () => {
    if (field.current) field.current.value = "";
    setText("");
    leave(before.current);
  };
  const choose = (item: FoundItem | undefined) => {
    if (!item) return;
    setOpen(false);
    const pointer = pointerIn(replica, item);
    onFind({ level: item.level, id: item.id }, isNote(item) ? "notes" : "view", pointer);
  };
  const step = (by: number) => {
    if (by > 0 && active + by >= items.length) searching.more();
    setActive(Math.max(0, Math.min(items.length - 1, active + by)));
  };
  const press = (event: KeyboardEvent) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    if (target !== field.current && key !== "Escape") return; // a choice has arrows of its own
    if (key === "ArrowDown") step(open ? 1 : 0);
    else if (key === "ArrowUp") step(-1);
    else if (key === "Enter" && isCurrent) choose(items[active]);
    else if (key === "Enter") hurries.current = true;
    else if (key === "Escape") clear();
    else return;
    if (key.startsWith("Arrow")) setOpen(true);
    event.preventDefault();
  };
  useListener(field, "keydown", press);
  useListener(field, "input", ({ target }) => {
    if (target !== field.current) return;
    hurries.current = false;
    setText(field.current?.value ?? "");
    setOpen(true);
  });
  useLayoutEffect(() => {
    const input = field.current;
    input?.setAttribute("aria-expanded", String(open));
    for (const [name, value] of [
      ["aria-controls", open ? LIST : undefined],
      ["aria-activedescendant", option],
    ] as const) {
      if (value === undefined) input?.removeAttribute(name);
      else input?.setAttribute(name, value);
    }
    if (option) document.getElementById(option)?.scrollIntoView({ block: "nearest" });
  }, [open, option]);

  if (!open) return null;
  return (
    <div class="finds">
      <div class="finds-head">
        <Choice label="Where to search" name="scope" chosen={scope} options={SCOPES} onChoose={setScope} />
        <Choice label="What to search by" name="mode" chosen={mode} options={MODES} onChoose={setMode} />
        <button type="button" class="icon" aria-label="Clear the search" onClick={clear}>
          <Glyph name="close" />
        </button>
      </div>
      <Outcome searching={searching} text={text} scope={scope} />
      <div id={LIST} role="listbox" aria-label="Contexts found" aria-busy={!isCurrent}>
        {items.map((item, index) => (
          <Hit
            key={`${item.level}/${item.id}`}
            id={optionOf(index)}
            item={item}
            active={index === active}
            onPoint={() => setActive(index)}
            onChoose={() => choose(item)}
          />
        ))}
      </div>
      {answer?.next_cursor && (
        <button type="button" class="button more" onClick={searching.more}>
          Show more
        </button>
      )}
    </div>
  );
}

/** How many were found, or why none; and what they were not searched by yet. */
function Outcome({ searching, text, scope }: { searching: Searching; text: string; scope: Scope }) {
  const { answer, fault } = searching;
  if (text.trim() === "") return <Help />;
  return (
    <>
      {fault !== undefined && <Fault error={fault} />}
      <p class="quiet finds-count" role="status">
        {answer ? countOf(answer, scope) : fault === undefined ? "Searching …" : ""} {answer && noteOf(searching)}
      </p>
    </>
  );
}

function countOf({ items, total_estimate: total, asked, next_cursor }: Answer, scope: Scope): string {
  if (items.length === 0) return `Nothing is found for “${asked.text.trim()}”.`;
  const all = next_cursor === null ? items.length : Math.max(total, items.length);
  const what = scope === "stored" ? ["layer", "layers"] : ["view", "views"];
  return `${next_cursor === null ? "" : "About "}${all.toLocaleString("en")} ${all === 1 ? what[0] : what[1]}.`;
}

/** Why meaning counts not at all yet, or not everywhere. */
function noteOf({ answer, status }: Searching): string {
  if (!status || answer?.asked.mode === "text") return "";
  const { models, encoded, documents } = status;
  if (models === "off") return "By words only: this browser has no vector instructions.";
  if (models === "failed") return "By words only: the models for meaning did not load.";
  if (models === "loading") return "By words so far: the models for meaning are loading, once (4.8 MB).";
  if (models === "ready" && encoded < documents) return `Meaning is known of ${encoded} of ${documents} so far.`;
  return "";
}

function Help() {
  return (
    <dl class="finds-help">
      {[
        ["pool timeout", "any of these words, or what they mean"],
        ['"pool size"', "exactly these words"],
        ["-redis", "not this word"],
        ["level:task", `one of ${LEVELS.join(", ")}`],
        ["path:/db/host", "contexts with this path"],
        ["↑ ↓ Enter Esc", "move, open, clear"],
      ].map(([typed, finds]) => (
        <div key={typed}>
          <dt>
            <code>{typed}</code>
          </dt>
          <dd>{finds}</dd>
        </div>
      ))}
    </dl>
  );
}

function Hit(props: { id: string; item: FoundItem; active: boolean; onPoint: () => void; onChoose: () => void }) {
  const { id, item, active, onPoint, onChoose } = props;
  const { path, snippet, from, reasons } = item;
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      class="hit"
      aria-selected={active}
      onPointerMove={() => active || onPoint()}
      onMouseDown={(event) => event.preventDefault()} // the field keeps the focus
      onClick={onChoose}
    >
      <p class="hit-head">
        <Tag level={item.level} />
        <b>
          <UserText text={item.id} />
        </b>
        {path !== "" && (
          <code class="path">
            <UserText text={path} />
          </code>
        )}
      </p>
      <p class="hit-snippet">
        {snippet.map(({ text, found }, at) =>
          found ? (
            <mark key={at}>
              <UserText text={text} />
            </mark>
          ) : (
            <UserText key={at} text={text} />
          ),
        )}
      </p>
      <p class="hit-why quiet">
        <Why item={item} />
        {from && (
          <span>
            said in <Layer of={from} />
          </span>
        )}
        {reasons && (
          <span>
            changed <When at={reasons.updated_at} />
          </span>
        )}
      </p>
    </div>
  );
}

const FIELDS: Record<string, string> = {
  title: "in the title",
  text: "in the text",
  note: "in a note",
  key: "as a name",
  id: "in the id",
};

/** Why it was found: each word with its place, and how near it is in meaning. */
function Why({ item }: { item: FoundItem }) {
  const near = item.reasons?.near ?? 0;
  return (
    <>
      {wordsOf(item).map(({ word, field }) => (
        <span key={word}>
          <b>
            <UserText text={word} />
          </b>{" "}
          {FIELDS[field]}
        </span>
      ))}
      {near >= 0.01 && <span>{Math.round(near * 100)} % near in meaning</span>}
    </>
  );
}

/** Whether the list shows: from when the field or the list has the focus, until something else has. */
function useOpen(field: RefObject<HTMLInputElement | null>): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(true);
  useLayoutEffect(() => {
    const box = field.current?.closest(".find");
    const look = ({ target }: Event) => {
      if (!box?.contains(target as Node)) setOpen(false);
      else if (target === field.current) setOpen(true);
    };
    addEventListener("focusin", look);
    addEventListener("pointerdown", look);
    return () => {
      removeEventListener("focusin", look);
      removeEventListener("pointerdown", look);
    };
  }, []);
  return [open, setOpen];
}

/** Listens to the field and to what stands around it: the page's first script has made both. */
function useListener<K extends keyof HTMLElementEventMap>(
  field: RefObject<HTMLInputElement | null>,
  event: K,
  listener: (event: HTMLElementEventMap[K]) => void,
) {
  const last = useRef(listener);
  last.current = listener;
  // With the first rendering: what is typed after it must not be missed.
  useLayoutEffect(() => {
    const box = field.current?.closest<HTMLElement>(".find");
    const listen = (event: HTMLElementEventMap[K]) => last.current(event);
    box?.addEventListener(event, listen);
    return () => box?.removeEventListener(event, listen);
  }, [event]);
}
