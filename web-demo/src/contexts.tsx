// The tree of contexts: find one, select it, see which ones are changing.

import type { ContextSummary, PendingWrite } from "@nacre/context";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Address, GLOBAL, above, key, same } from "./address";
import { visible } from "./characters";
import { Filter, Tag, Twist } from "./parts";
import { type Row, focusRow, move, pressedOn, rowOf } from "./tree";
import { UserText } from "./user-text";

interface ContextRow extends Row {
  address: Address;
  item: ContextSummary | undefined;
  position: number;
  siblings: number;
}

export function Contexts(props: {
  items: readonly ContextSummary[];
  chosen: Address;
  /** Contexts that have just changed, with the user who changed them. */
  stirring: ReadonlyMap<string, string>;
  /** Contexts with unsent writes. */
  waiting: ReadonlySet<string>;
  /** Refused writes. A context that one of them would have made is in the tree too. */
  refused: readonly PendingWrite[];
  /** Contexts with drafts. */
  drafted: ReadonlySet<string>;
  onChoose: (address: Address) => void;
}) {
  const { items, chosen, stirring, waiting, refused, drafted, onChoose } = props;
  const tree = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = useState("");
  const [focused, setFocused] = useState(key(chosen));
  const rows = useMemo(() => shownContexts(items, refused, closed, filter), [items, refused, closed, filter]);
  const faulty = useMemo(() => new Set(refused.map(key)), [refused]);
  const stop = rows.some((row) => row.key === focused) ? focused : (rows[0]?.key ?? "");
  const toggle = (row: Row) => {
    const next = new Set(closed);
    if (row.open) next.add(row.key);
    else next.delete(row.key);
    setClosed(next);
  };

  // However the context was selected (link, chain, reload), its row must be visible and be the tab
  // stop.
  const here = key(chosen);
  useEffect(() => {
    setFocused(here);
    rowOf(tree.current, here)?.scrollIntoView({ block: "nearest" });
  }, [here]);

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const asked = move(event.key, rows, pressedOn(event));
    if (!asked) return;
    event.preventDefault();
    const wanted = Object.values(asked)[0];
    const row = rows.find((row) => row.key === wanted);
    if (!row) return;
    if ("to" in asked) {
      setFocused(row.key);
      focusRow(tree.current, row.key);
    } else if ("toggle" in asked) toggle(row);
    else onChoose(row.address);
  };

  return (
    <div class="contexts">
      <Filter label="Find a context" text={filter} onChange={setFilter} />
      {rows.length === 0 && <p class="nothing">No context has “{filter}” in its name.</p>}
      <div ref={tree} role="tree" aria-label="Contexts" onKeyDown={press}>
        {rows.map((row) => (
          <div
            key={row.key}
            role="treeitem"
            data-key={row.key}
            class={`context ${row.address.level} ${row.item ? "" : "missing"}`}
            style={{ "--depth": row.depth }}
            aria-level={row.depth + 1}
            aria-posinset={row.position}
            aria-setsize={row.siblings}
            aria-expanded={row.open}
            aria-selected={same(row.address, chosen)}
            tabIndex={row.key === stop ? 0 : -1}
            onClick={() => {
              setFocused(row.key);
              onChoose(row.address);
            }}
          >
            <Twist open={row.open} onToggle={() => toggle(row)} />
            <Tag level={row.address.level} short />
            <span class="id" title={visible(row.address.id)}>
              <UserText text={row.address.id} />
            </span>
            {drafted.has(row.key) && (
              <span class="pending" title="has edits that are not saved">
                draft
              </span>
            )}
            {faulty.has(row.key) && (
              <span class="pending refused" title="has writes that were refused">
                refused
              </span>
            )}
            {waiting.has(row.key) && (
              <span class="pending" title="has changes that are still to be sent">
                unsent
              </span>
            )}
            {stirring.has(row.key) && (
              <span class="stir" title={`changed by ${visible(stirring.get(row.key) ?? "")}`}>
                <UserText text={stirring.get(row.key) ?? ""} />
              </span>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The visible rows: parents before children, by name. A filter opens the ancestors of each match. */
function shownContexts(
  items: readonly ContextSummary[],
  refused: readonly PendingWrite[],
  closed: ReadonlySet<string>,
  filter: string,
): ContextRow[] {
  const children = new Map<string, Address[]>();
  const held = new Map(items.map((item) => [key(item), item]));
  const put = (address: Address, parent: string) => {
    const among = children.get(parent);
    if (among) among.push(address);
    else children.set(parent, [address]);
  };
  if (!held.has(key(GLOBAL))) put(GLOBAL, "");
  const absent = new Map<string, Address & { parent?: string | null }>();
  for (const write of refused) {
    const { level, id, operation } = write;
    if (!held.has(key(write)) && level !== "global")
      absent.set(key(write), { level, id, parent: operation?.parent ?? null });
  }
  const isShown = (row: string) => held.has(row) || absent.has(row) || row === key(GLOBAL);
  for (const item of [...items, ...absent.values()]) {
    const level = above(item.level);
    const parent = !level ? "" : level === "global" ? key(GLOBAL) : key({ level, id: item.parent ?? "" });
    // If the parent is not in this replica (another project's, for example), its children are at
    // the top.
    put({ level: item.level, id: item.id }, isShown(parent) ? parent : "");
  }
  for (const among of children.values()) {
    among.sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }));
  }
  const wanted = filter.trim().toLowerCase();
  const rows: ContextRow[] = [];
  const visit = (address: Address, depth: number, position: number, siblings: number): boolean => {
    const row = key(address);
    const below = children.get(row) ?? [];
    const open = wanted !== "" || !closed.has(row);
    const place = rows.length;
    rows.push({
      key: row,
      address,
      depth,
      item: held.get(row),
      open: below.length > 0 ? open : undefined,
      position,
      siblings,
    });
    let inside = false;
    if (open) {
      below.forEach((child, index) => {
        inside = visit(child, depth + 1, index + 1, below.length) || inside;
      });
    }
    if (inside || address.id.toLowerCase().includes(wanted)) return true;
    rows.length = place;
    return false;
  };
  const top = children.get("") ?? [];
  top.forEach((address, index) => visit(address, 0, index + 1, top.length));
  return rows;
}
