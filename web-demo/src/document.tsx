// The resolved document: a tree of values, each in the colour and with the letter of its layer.

import type { Origin } from "@nacre/context";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Level } from "./address";
import { type Value, glance, isSealed } from "./json";
import { Filter, Glyph, Tag, Twist } from "./parts";
import { type ValueRow, changed, openAtFirst, rowsOf, shownRows } from "./rows";
import { focusRow, move, pressedOn } from "./tree";
import { LongText, UserText } from "./user-text";

/** Rows drawn at first; more on request. */
const PAGE = 600;
/** Most of a member's name that is shown, in characters. */
const NAME = 200;
/** How long a changed value is highlighted, in milliseconds. */
const GLOW = 2600;

export function Document(props: {
  /** Identifies the shown context: for another one everything is new, for another state of the same one changes glow. */
  of: string;
  data: Value;
  origins: Readonly<Record<string, Origin>>;
  chosen: string | undefined;
  /** Pointers of values with a draft. */
  drafted?: readonly string[];
  /** Pointers of values that refused writes wanted to change. */
  refused?: readonly string[];
  /** `y` is where on the screen, if a pointer chose. */
  onChoose: (pointer: string, y?: number) => void;
}) {
  const { of, data, origins, chosen, drafted = [], refused = [], onChoose } = props;
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(data, origins), [data, origins]);
  const atFirst = useMemo(() => openAtFirst(rows), [rows]);
  const [toggled, setToggled] = useState(() => wayTo(chosen));
  const [filter, setFilter] = useState("");
  const [room, setRoom] = useState(PAGE);
  const [focused, setFocused] = useState(chosen ?? "");
  useEffect(() => {
    setToggled(wayTo(chosen));
    setFilter("");
    setRoom(PAGE);
    setFocused(chosen ?? "");
  }, [of]);
  const glowing = useGlow(of, rows);

  const isOpen = (key: string) => toggled.get(key) ?? atFirst.has(key);
  const all = useMemo(() => shownRows(rows, isOpen, filter), [rows, toggled, atFirst, filter]);
  const reached = all.findIndex(({ key }) => key === chosen) + 1;
  const shown = all.slice(0, Math.max(room, reached));
  const stop = shown.some(({ key }) => key === focused) ? focused : (shown[0]?.key ?? "");
  const toggle = (row: ValueRow) => setToggled(new Map(toggled).set(row.key, !row.open));

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || pressedOn(event) === "") return;
    const asked = move(event.key, shown, pressedOn(event));
    if (!asked) return;
    event.preventDefault();
    if ("to" in asked) {
      setFocused(asked.to);
      focusRow(tree.current, asked.to);
    } else if ("toggle" in asked) {
      const row = shown.find(({ key }) => key === asked.toggle);
      if (row) toggle(row);
    } else onChoose(asked.choose);
  };

  if (rows.length === 0) return <p class="nothing">Nothing is set here, and nothing above it.</p>;
  return (
    <div class="document">
      <Filter label="Filter names and values" text={filter} onChange={setFilter} />
      {all.length === 0 && <p class="nothing">No name and no value has “{filter}” in it.</p>}
      <div ref={tree} class="values" role="tree" aria-label="Resolved document" onKeyDown={press}>
        {shown.map((row) => (
          <ValueLine
            key={row.key}
            row={row}
            chosen={row.key === chosen}
            drafted={drafted.includes(row.key)}
            refused={refused.includes(row.key)}
            glowing={glowing.has(row.key)}
            stop={row.key === stop}
            onToggle={() => toggle(row)}
            onChoose={({ clientY }) => {
              setFocused(row.key);
              onChoose(row.key, clientY);
            }}
          />
        ))}
      </div>
      {all.length > shown.length && (
        <button type="button" class="button" onClick={() => setRoom(room + PAGE)}>
          Show more: {all.length - shown.length} of {all.length} rows are left
        </button>
      )}
    </div>
  );
}

/** The rows to open so that a value shows: all above it. */
function wayTo(pointer = ""): ReadonlyMap<string, boolean> {
  const way = new Map<string, boolean>();
  for (let at = pointer.lastIndexOf("/"); at > 0; at = pointer.lastIndexOf("/", at - 1))
    way.set(pointer.slice(0, at), true);
  return way;
}

function ValueLine(props: {
  row: ValueRow;
  chosen: boolean;
  drafted: boolean;
  refused: boolean;
  glowing: boolean;
  stop: boolean;
  onToggle: () => void;
  onChoose: (event: MouseEvent) => void;
}) {
  const { row, chosen, drafted, refused, glowing, stop, onToggle, onChoose } = props;
  const { origin } = row;
  const classes = ["value", row.levels.length === 1 ? row.levels[0] : "", glowing ? "glowing" : ""];
  return (
    <div
      class={classes.join(" ")}
      role="treeitem"
      data-key={row.key}
      style={{ "--depth": row.depth }}
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={row.open}
      aria-selected={chosen}
      tabIndex={stop ? 0 : -1}
      onClick={onChoose}
    >
      <span class="from">
        {row.levels.map((level: Level) => (
          <Tag key={level} level={level} id={origin?.level === level ? origin.id : undefined} short />
        ))}
      </span>
      <span class="what">
        <Twist open={row.open} onToggle={onToggle} />
        <span class="member">
          <UserText text={row.name.length > NAME ? `${row.name.slice(0, NAME)}…` : row.name} />
        </span>
        <Shown row={row} />
        {drafted && <span class="pending">draft</span>}
        {refused && <span class="pending refused">refused</span>}
        {origin !== undefined && origin.shadowed.length > 0 && (
          <span class="shadows" title={`hides ${origin.shadowed.length} value above`}>
            hides {origin.shadowed.length}
          </span>
        )}
      </span>
    </div>
  );
}

function Shown({ row: { value, size } }: { row: ValueRow }) {
  if (isSealed(value)) {
    return (
      <span class="sealed">
        <Glyph name="lock" /> sealed
      </span>
    );
  }
  if (size !== undefined) {
    const word = Array.isArray(value) ? (size === 1 ? "item" : "items") : size === 1 ? "member" : "members";
    return <span class="quiet">{size === 0 ? "empty" : `${size} ${word}`}</span>;
  }
  const bare = typeof value === "string" && value !== ""; // an empty string shows as its quotes
  return <span class={`scalar ${typeof value}`}>{bare ? <LongText text={value} /> : glance(value)}</span>;
}

/** The values that have just changed in the shown context. */
function useGlow(of: string, rows: readonly ValueRow[]): ReadonlySet<string> {
  const last = useRef<{ of: string; rows: readonly ValueRow[] }>({ of: "", rows: [] });
  const [glowing, setGlowing] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const before = last.current;
    last.current = { of, rows };
    if (before.of !== of || before.rows === rows) return setGlowing(new Set());
    setGlowing(changed(before.rows, rows));
    const timer = setTimeout(() => setGlowing(new Set()), GLOW);
    return () => clearTimeout(timer);
  }, [of, rows]);
  return glowing;
}
