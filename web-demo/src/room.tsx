// The selected context: its chain, and tabs for its view, its layer and its history.

import type { ContextSummary, LayerVersion, PendingWrite } from "@nacre/context";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Address, type Tab, name, same } from "./address";
import { Document } from "./document";
import { placeOf, useDrafts } from "./drafts";
import { later, useLater } from "./later";
import { Fault, Glyph, Layer, Tabs, When } from "./parts";
import { layerOf, show, useRead, useReplica } from "./reading";
import type { OnEdit } from "./refused";
import { UserText } from "./user-text";

const History = later(() => import("./history").then((room) => room.History));
const Inspector = later(() => import("./inspector").then((room) => room.Inspector));
const LayerEditor = later(() => import("./layer").then((room) => room.LayerEditor));
const Notes = later(() => import("./notes").then((room) => room.Notes));
const Leftovers = later(() => import("./leftovers").then((room) => room.Leftovers));
const RefusedWrites = later(() => import("./refused").then((room) => room.RefusedWrites));
const Move = later(() => import("./move").then((room) => room.Move));
const MembersOf = later(() => import("./members").then((room) => room.Members));
const Remove = later(() => import("./create").then((room) => room.Remove));

const PANEL = "panel";
/** The height of a row of one line, in pixels. */
const LINE = 27;

export function Room(props: {
  address: Address;
  tab: Tab;
  /** The value that is chosen at first, and gets the focus. */
  first: string | undefined;
  /** The store is empty. */
  empty: boolean;
  /** Writes to it that were refused. */
  refused: readonly PendingWrite[];
  onGo: (address: Address, tab?: Tab) => void;
  onEdit: OnEdit;
  onCreate: () => void;
  onImport: () => void;
}) {
  const { address, tab, first, empty, refused, onGo, onEdit, onCreate, onImport } = props;
  const { level, id } = address;
  const { replica, mayWrite } = useReplica();
  const drafts = useDrafts(placeOf(replica.user, address, "value "));
  const [pointer, setPointer] = useState(first);
  const [open, setOpen] = useState<"move" | "remove" | "members">();
  const context = useRead((replica) => layerOf(replica, address), [level, id]);
  const view = useRead((replica) => show(replica, address), [level, id]);

  const chosen = tab === "view" ? pointer : undefined;
  const refusals = useLater(() => import("./refusals"), refused.length > 0);
  const refusedAt = useMemo(
    () => refusals?.valuesOf(refused, view.value?.data ?? {}) ?? [],
    [refusals, refused, view.value],
  );
  /** On a phone: whether the card is above the values, and where the row was when it opened or closed. */
  const [onTop, setOnTop] = useState(false);
  const held = useRef<{ pointer: string; top: number } | undefined>(undefined);
  const choose = (next: string | undefined, y?: number) => {
    const of = next ?? pointer ?? "";
    const { top, bottom } = rowOf(of)?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
    held.current = { pointer: of, top };
    // The card takes the half in which the row was not chosen.
    const frame = document.querySelector(".frame")?.getBoundingClientRect();
    if (frame && pointer === undefined) setOnTop((y ?? (top + bottom) / 2) > (frame.top + frame.bottom) / 2);
    setPointer(next);
  };
  useEffect(() => {
    const row = rowOf(first ?? "");
    row?.scrollIntoView({ block: "center" });
    row?.focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => {
    const { pointer = "", top = 0 } = held.current ?? {};
    held.current = undefined;
    const row = rowOf(pointer);
    const room = row?.closest(".room");
    if (!row || !room) return;
    room.scrollTop += row.getBoundingClientRect().top - top; // the row stays under the pointer
    const [one, all] = [row.getBoundingClientRect(), room.getBoundingClientRect()];
    const seen = Math.min(one.bottom, all.bottom) - Math.max(one.top, all.top);
    if (seen < Math.min(one.height, LINE)) row.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  if (!context.value || !view.value) {
    return (
      <main id="room" class="room" tabIndex={-1}>
        {empty ? (
          <div class="nothing">
            <p>Nothing is stored yet.{mayWrite && " Begin with a context, or drop a file of them here."}</p>
            {mayWrite && (
              <div class="row">
                <button type="button" class="button main" onClick={onCreate}>
                  Make the first context
                </button>
                <button type="button" class="button" onClick={onImport}>
                  Import a file
                </button>
              </div>
            )}
          </div>
        ) : (
          <>
            <h2>{name(address)}</h2>
            {refused.length > 0 ? (
              <RefusedWrites writes={refused} onEdit={onEdit} />
            ) : (
              <Fault error={context.error ?? view.error} />
            )}
            <Leftovers of={address} />
          </>
        )}
      </main>
    );
  }
  return (
    <>
      <main id="room" class="room" tabIndex={-1}>
        <header class="about">
          <Chain chain={view.value.chain} of={address} onGo={onGo} />
          <div class="row">
            <h2 class="title">
              <UserText text={id} />
            </h2>
            <About context={context.value} />
            {mayWrite && context.value.level !== "global" && context.value.level !== "project" && (
              <button type="button" class="button" onClick={() => setOpen("move")}>
                <Glyph name="move" /> Move
              </button>
            )}
            {level === "project" && (
              <button type="button" class="button" onClick={() => setOpen("members")}>
                Members
              </button>
            )}
            {mayWrite && (
              <button type="button" class="button danger" onClick={() => setOpen("remove")}>
                <Glyph name="trash" /> Delete
              </button>
            )}
          </div>
          <Tabs
            label="What to see of this context"
            panel={PANEL}
            chosen={tab}
            tabs={[
              ["view", "View"],
              ["layer", "Layer"],
              ["history", "History"],
              ["notes", "Notes"],
            ]}
            onChoose={(next) => onGo(address, next)}
          />
        </header>
        {refused.length > 0 && <RefusedWrites writes={refused} onEdit={onEdit} />}
        <div id={PANEL} role="tabpanel" aria-labelledby={`tab-${tab}`}>
          {tab === "view" && (
            <Document
              of={name(address)}
              data={view.value.data}
              origins={view.value.origins}
              chosen={pointer}
              drafted={drafts}
              refused={refusedAt}
              onChoose={choose}
            />
          )}
          {tab === "layer" && <LayerEditor context={context.value} />}
          {tab === "history" && <History context={context.value} chain={view.value.chain} />}
          {tab === "notes" && <Notes of={address} />}
        </div>
      </main>
      {chosen !== undefined && (
        <aside class={`inspector ${onTop ? "on-top" : ""}`} aria-label="Origin of a value">
          <header>
            <h2 class="path mono">
              <UserText text={chosen} />
            </h2>
            <button
              type="button"
              class="icon"
              aria-label="Close"
              onClick={() => {
                choose(undefined);
                rowOf(chosen)?.focus();
              }}
            >
              <Glyph name="close" />
            </button>
          </header>
          {refusedAt.includes(chosen) && (
            <p class="notice">
              A write to this value was refused.{" "}
              <button
                type="button"
                class="link"
                onClick={() => document.querySelector<HTMLElement>(".room .refusals")?.focus()}
              >
                Show it
              </button>
            </p>
          )}
          <Inspector address={address} view={view.value} pointer={chosen} onOpenLayer={(of) => onGo(of, "layer")} />
        </aside>
      )}
      {/* Where there is a column for the card, it is there from the start: values do not move when it opens. */}
      {tab === "view" && chosen === undefined && (
        <aside class="inspector vacant" aria-label="No value is chosen">
          <p class="quiet">Choose a value to see which layers it comes from.</p>
        </aside>
      )}
      {open === "move" && <Move context={context.value} onClose={() => setOpen(undefined)} />}
      {open === "members" && <MembersOf project={id} onClose={() => setOpen(undefined)} />}
      {open === "remove" && <Remove context={context.value} onClose={() => setOpen(undefined)} onGo={onGo} />}
    </>
  );
}

const rowOf = (pointer: string) => document.querySelector<HTMLElement>(`.values [data-key="${CSS.escape(pointer)}"]`);

/** The chain, which is also the legend of the colours. */
function Chain(props: { chain: readonly LayerVersion[]; of: Address; onGo: (address: Address) => void }) {
  return (
    <nav aria-label="Chain of layers">
      <ol class="chain">
        {props.chain.map((link) => (
          <li key={link.level}>
            <a
              href={`#/${link.level}/${encodeURIComponent(link.id)}`}
              aria-current={same(link, props.of) ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault();
                props.onGo({ level: link.level, id: link.id });
              }}
            >
              <Layer of={link} version={link.version} />
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function About({ context }: { context: ContextSummary }) {
  return (
    <span class="quiet by">
      by <UserText text={context.updated_by} />, <When at={context.updated_at} />
    </span>
  );
}
