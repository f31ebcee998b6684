// The page with a replica open: contexts on the left, the selected one in the middle, one of its
// values on the right, and the state of the synchronization on top.

import type { ChangeEvent, PendingWrite, Replica } from "@nacre/context";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Address, GLOBAL, type Tab, fromFragment, key, name, same, toFragment } from "./address";
import { visible } from "./characters";
import { Contexts } from "./contexts";
import { useDrafts } from "./drafts";
import { DropZone } from "./drop";
import { Find, type OnFind } from "./find";
import { later } from "./later";
import { Glyph, READS_ONLY } from "./parts";
import { type Opened, OpenedContext, attempt, refusedOf } from "./reading";
import { Room } from "./room";
import { StatusBar } from "./status";
import { mayWrite } from "./token";

const Create = later(() => import("./create").then((room) => room.Create));
const Deleted = later(() => import("./create").then((room) => room.Deleted));
const Rewrite = later(() => import("./refused").then((room) => room.Rewrite));
const Renew = later(() => import("./user").then((room) => room.Renew));
const Import = later(() => import("./import").then((room) => room.Import));

interface Place {
  address: Address;
  tab: Tab;
  /** The value of the view to show first. */
  pointer?: string | undefined;
}

/** The first context to show if the address names none. */
const START: Place = { address: GLOBAL, tab: "view" };
/** How long a changed context is highlighted, in milliseconds. */
const STIR = 6000;

export function App({ replica, onLeave }: { replica: Replica; onLeave: () => void }) {
  const opened = useRevisions(replica);
  const [place, setPlace] = useState<Place>(() => fromFragment(location.hash) ?? START);
  const [open, setOpen] = useState<"create" | "import" | "deleted">();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [drawer, setDrawer] = useState(false);
  const menu = useRef<HTMLButtonElement>(null);
  const { stirring, said } = useStir(replica);
  const refusal = useRefusal(replica);
  const closed = useClosed(replica);
  /** The refused write that is edited in a dialog, and how often the room was opened anew: with a
   * refused write in an editor, or at a place that was found. */
  const [rewriting, setRewriting] = useState<PendingWrite>();
  const [drawn, setDrawn] = useState(0);

  useEffect(() => {
    // No fragment means the first context, so that "back" can return to it.
    const follow = () => setPlace((now) => fromFragment(location.hash) ?? (location.hash === "" ? START : now));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = (address: Address, tab: Tab = place.tab, pointer?: string) => {
    setPlace({ address, tab, pointer });
    setDrawer(false);
    const fragment = toFragment(address, tab);
    if (location.hash !== fragment) history.pushState(null, "", fragment);
  };
  const show: OnFind = (address, tab, pointer) => {
    setDrawn(drawn + 1);
    go(address, tab, pointer);
  };
  const edit = (write: PendingWrite, tab?: Tab) => {
    if (!tab) return setRewriting(write);
    show({ level: write.level, id: write.id }, tab);
  };
  // First, so that the editor can take the focus from there.
  useLayoutEffect(() => {
    if (drawn > 0) document.getElementById("room")?.focus();
  }, [drawn]);
  // Move the focus away from elements that are gone: a deleted context, or the drawer on a phone.
  const seen = useRef(key(place.address));
  useEffect(() => {
    if (seen.current === key(place.address)) return;
    seen.current = key(place.address);
    const at = document.activeElement;
    const behind = matchMedia("(max-width: 760px)").matches && document.getElementById("contexts")?.contains(at);
    if (at === document.body || behind) document.getElementById("room")?.focus();
  }, [place.address]);
  const title = closed ? "Nacre" : `${name(place.address)} · Nacre`;
  useEffect(() => {
    document.title = title;
    return () => void (document.title = "Nacre");
  }, [title]);
  const bring = useCallback((files: readonly File[]) => {
    setFiles(files);
    setOpen((now) => (now === undefined ? "import" : now)); // another dialog may be filled
  }, []);
  useEffect(() => {
    if (!drawer) return;
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      setDrawer(false);
      menu.current?.focus();
    };
    const beside = ({ target }: Event) => {
      const within = [document.getElementById("contexts"), menu.current].some((one) => one?.contains(target as Node));
      if (!within) setDrawer(false);
    };
    addEventListener("keydown", onEscape);
    addEventListener("pointerdown", beside);
    return () => {
      removeEventListener("keydown", onEscape);
      removeEventListener("pointerdown", beside);
    };
  }, [drawer]);

  const items = useMemo(() => attempt(() => replica.list().items).value ?? [], [opened]);
  const drafts = useDrafts(`${replica.user}\n`);
  const drafted = new Set(drafts.map((place) => place.split("\n")[0] ?? ""));
  const { waiting, refused } = useMemo(() => {
    const pending = replica.pending();
    return {
      waiting: new Set(pending.filter(({ state }) => state !== "refused").map(key)),
      refused: refusedOf(pending),
    };
  }, [opened]);

  if (closed) return <Renew replica={replica} onLeave={onLeave} />;
  return (
    <OpenedContext.Provider value={opened}>
      <a class="skip" href="#room" onClick={(event) => skip(event)}>
        Skip to the context
      </a>
      <header class="top">
        <button
          ref={menu}
          type="button"
          class="icon menu"
          aria-expanded={drawer}
          aria-controls="contexts"
          aria-label="Contexts"
          onClick={() => setDrawer(!drawer)}
        >
          <Glyph name="menu" />
        </button>
        <img src="/icon.svg" width="26" height="26" alt="" />
        <h1>Nacre</h1>
        <Find onFind={show} />
        <StatusBar onGo={go} onEdit={edit} onLeave={onLeave} />
      </header>
      <div class="frame">
        <nav id="contexts" class={drawer ? "side open" : "side"} aria-label="Contexts">
          {opened.mayWrite ? (
            <div class="row side-head">
              <button type="button" class="button" onClick={() => setOpen("create")}>
                <Glyph name="plus" /> New
              </button>
              <button type="button" class="button" onClick={() => bring([])}>
                <Glyph name="upload" /> Import
              </button>
              <button type="button" class="button" onClick={() => setOpen("deleted")}>
                <Glyph name="undo" /> Restore
              </button>
            </div>
          ) : (
            <p class="notice">{READS_ONLY}</p>
          )}
          <Contexts
            items={items}
            chosen={place.address}
            stirring={stirring}
            waiting={waiting}
            refused={refused}
            drafted={drafted}
            onChoose={go}
          />
        </nav>
        <Room
          // Another one when a draft was put into it, for editors read drafts when they open; and for each find.
          key={`${key(place.address)} ${drawn}`}
          address={place.address}
          tab={place.tab}
          first={place.pointer}
          empty={items.length === 0 && refused.length === 0}
          refused={refused.filter((write) => same(write, place.address))}
          onGo={go}
          onEdit={edit}
          onCreate={() => setOpen("create")}
          onImport={() => bring([])}
        />
      </div>
      {open === "create" && <Create near={place.address} onClose={() => setOpen(undefined)} onGo={go} />}
      {/* Another list each time: the same file once more, corrected perhaps, is read anew. */}
      {open === "import" && <Import key={files} dropped={files} onClose={() => setOpen(undefined)} />}
      {open === "deleted" && <Deleted onClose={() => setOpen(undefined)} onGo={go} />}
      {rewriting && <Rewrite key={rewriting.key} write={rewriting} onClose={() => setRewriting(undefined)} onGo={go} />}
      <DropZone onDrop={bring} refused={opened.mayWrite ? undefined : READS_ONLY} />
      <p class="unseen" role="status">
        {said}
      </p>
      <p class="unseen" role="alert">
        {refusal}
      </p>
    </OpenedContext.Provider>
  );
}

function skip(event: Event) {
  event.preventDefault();
  document.getElementById("room")?.focus();
}

/** A number that grows with every change of contexts, and an object that is new after any change. */
function useRevisions(replica: Replica): Opened {
  const [opened, setOpened] = useState<Opened>({ replica, revision: 0, mayWrite: mayWrite() });
  useEffect(() => {
    const data = () => setOpened(({ revision }) => ({ replica, revision: revision + 1, mayWrite: mayWrite() }));
    const status = () => setOpened(({ revision }) => ({ replica, revision, mayWrite: mayWrite() }));
    const ends = [replica.subscribe({ subtree: GLOBAL }, data), replica.subscribe("all", status)];
    data(); // changes before this point
    return () => ends.forEach((end) => end());
  }, [replica]);
  return opened;
}

/** Whether the contexts are hidden: from when the server refuses the token until it takes one. */
function useClosed(replica: Replica): boolean {
  const closed = useRef(false);
  const { error, state } = replica.status;
  closed.current = error?.code === "unauthenticated" || (closed.current && state !== "online");
  return closed.current;
}

/** What to say of the write that was refused last. */
function useRefusal(replica: Replica): string {
  const [refusal, setRefusal] = useState("");
  useEffect(
    () =>
      replica.on("write", ({ state, action, level, id, problem }) => {
        if (state !== "refused") return;
        const what = `${action.replaceAll("_", " ")} of ${name({ level, id })}`;
        const all = replica.status.refused; // so that two alike are two announcements
        setRefusal(
          `Refused: ${what}. ${visible(problem?.detail ?? "")}${all > 1 ? ` ${all} writes are refused.` : ""}`,
        );
      }),
    [replica],
  );
  return refusal;
}

/** Contexts that others have just changed, and the same as text for screen readers. */
function useStir(replica: Replica): { stirring: ReadonlyMap<string, string>; said: string } {
  const [stirring, setStirring] = useState<ReadonlyMap<string, string>>(new Map());
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timers = new Map<string, ReturnType<typeof setTimeout>>();
    const stir = (address: Address, by: string, what: string) => {
      const of = key(address);
      setStirring((now) => new Map(now).set(of, by));
      setSaid(`${visible(by)}: ${what} of ${name(address)}`);
      clearTimeout(timers.get(of));
      timers.set(
        of,
        setTimeout(() => {
          setStirring((now) => new Map([...now].filter(([one]) => one !== of)));
        }, STIR),
      );
    };
    const ends = [
      replica.on("change", ({ level, context_id: id, by, action, mine }: ChangeEvent) => {
        if (!mine) stir({ level, id }, by, action);
      }),
      replica.on("entry", ({ level, context_id: id, kind, entry, mine }) => {
        if (!mine) stir({ level, id }, entry.by, kind === "insight" ? "new insight" : "new progress note");
      }),
    ];
    return () => {
      ends.forEach((end) => end());
      timers.forEach((timer) => clearTimeout(timer));
    };
  }, [replica]);
  return { stirring, said };
}
