// Small parts of the first view: the label of a layer, tabs, a switch, a moment in time.

import { useEffect, useRef, useState } from "preact/hooks";

import { type Address, type Level, name } from "./address";
import { UserText } from "./user-text";

/** The label of a layer: colour and word together, so that each one is enough. */
export function Tag({ level, id, short }: { level: Level; id?: string | undefined; short?: boolean }) {
  const full = id === undefined ? level : name({ level, id });
  if (short) {
    return (
      <abbr class={`tag short ${level}`} title={full}>
        {level[0]?.toUpperCase()}
      </abbr>
    );
  }
  return <span class={`tag ${level}`}>{level}</span>;
}

/** A layer by its label and name. */
export function Layer({ of, version }: { of: Address; version?: number | undefined }) {
  return (
    <span class="layer">
      <Tag level={of.level} />
      {of.level !== "global" && (
        <span class="id">
          <UserText text={of.id} />
        </span>
      )}
      {version !== undefined && <span class="quiet">v{version}</span>}
    </span>
  );
}

/** Tabs by the ARIA practices: one tab stop, arrows move and select. */
export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly (readonly [T, string, number?])[];
  chosen: T;
  panel: string;
  onChoose: (tab: T) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const step = (event: KeyboardEvent) => {
    const at = props.tabs.findIndex(([tab]) => tab === props.chosen);
    const last = props.tabs.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    const next = to === undefined ? undefined : props.tabs[to];
    if (to === undefined || !next) return;
    event.preventDefault();
    props.onChoose(next[0]);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  };
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={props.label} onKeyDown={step}>
      {props.tabs.map(([tab, label, count]) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`tab-${tab}`}
          aria-selected={tab === props.chosen}
          aria-controls={props.panel}
          tabIndex={tab === props.chosen ? 0 : -1}
          onClick={() => props.onChoose(tab)}
        >
          {label}
          {count !== undefined && count > 0 && <span class="count">{count}</span>}
        </button>
      ))}
    </div>
  );
}

/** A switch that takes effect immediately. */
export function Switch(props: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      aria-checked={props.on}
      onClick={() => props.onChange(!props.on)}
    >
      <span class="track" aria-hidden="true">
        <span class="thumb" />
      </span>
      <span class="label">{props.label}</span>
    </button>
  );
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

/** How often relative times are updated, in milliseconds. */
const TICK = 30_000;

/** A time: relative, with the exact time on hover. */
export function When({ at }: { at: string }) {
  const date = new Date(at);
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((ticks) => ticks + 1), TICK);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={absolute.format(date)}>
      {ago(date)}
    </time>
  );
}

function ago(date: Date): string {
  const seconds = Math.min(0, Math.round((date.getTime() - Date.now()) / 1000));
  if (seconds > -45) return "just now";
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

/** Why there are no controls that write. */
export const READS_ONLY = "Your token may read, but not write: it lacks the scope contexts:write.";

/** An error: what went wrong, where, and what to do. */
export function Fault({ error }: { error: unknown }) {
  if (error === undefined) return null;
  const { message, code, pointer } = error as { message?: string; code?: string; pointer?: string };
  return <Reason text={message ?? String(error)} code={code} pointer={pointer} role="alert" />;
}

interface Given {
  text: string;
  code?: string | undefined;
  pointer?: string | undefined;
  /** An alert is read out when it appears. */
  role?: "alert";
}

/** Why something was refused, and where. */
export function Reason({ text, code, pointer, role }: Given) {
  return (
    <p class="fault" role={role}>
      <Glyph name="warning" />
      <span>
        {code && <code>{code}</code>} <UserText text={text} broken />
        {pointer && (
          <>
            {" "}
            at{" "}
            <code>
              <UserText text={pointer} />
            </code>
          </>
        )}
      </span>
    </p>
  );
}

const GLYPHS = {
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 4l4 4-4 4",
  plus: "M8 3v10M3 8h10",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  upload: "M8 10.5V3M5 5.8L8 3l3 2.8M3 10.5V13h10v-2.5",
  warning: "M8 2.5L14 13H2zM8 6.5v3M8 11.2v.3",
  lock: "M4.5 7.5h7v5.5h-7zM6 7.5V5.2a2 2 0 0 1 4 0v2.3",
  move: "M3 8h9M9 5l3 3-3 3M3 4.5v7",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  undo: "M5.5 3.5L3 6l2.5 2.5M3 6h6.5a3.5 3.5 0 0 1 0 7H6",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4M10.2 10.2l3.3 3.3",
} as const;

/** An icon, always beside a word or inside a labelled element. */
export function Glyph({ name }: { name: keyof typeof GLYPHS }) {
  return (
    <svg class={`glyph ${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={GLYPHS[name]} />
    </svg>
  );
}

/** A filter field. */
export function Filter(props: { label: string; text: string; onChange: (text: string) => void }) {
  const { label, text, onChange } = props;
  return (
    <label class="filter">
      <Glyph name="search" />
      <span class="unseen">{label}</span>
      <input type="search" placeholder={label} value={text} onInput={(event) => onChange(event.currentTarget.value)} />
    </label>
  );
}

/** Opens and closes a row of a tree with the pointer; keys do so on the row. */
export function Twist({ open, onToggle }: { open: boolean | undefined; onToggle: () => void }) {
  if (open === undefined) return <span class="gap" />;
  return (
    <span
      class="twist"
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
    >
      <Glyph name="chevron" />
    </span>
  );
}

/** The name of a context in running text. */
export function Name({ of }: { of: Address }) {
  return <span class={`name ${of.level}`}>{name(of)}</span>;
}
