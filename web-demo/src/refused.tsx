// Refused writes: why the server refused them, what was written, and the ways on from there.

import type { PendingWrite } from "@nacre/context";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { type Address, type Tab, above, name } from "./address";
import { Create, Remove } from "./create";
import { Discard } from "./dialog";
import { type Value, at, equal, glance, print } from "./json";
import { Move } from "./move";
import { Fault, Glyph, Layer, READS_ONLY, Reason, When } from "./parts";
import { attempt, layerOf, useReplica } from "./reading";
import { type Wish, discardRefused, wishesOf } from "./refusals";
import { type Editor, dataAfter, editorOf, isInexact, makeDraft, wouldLose } from "./rewrite";
import { masked, useReveal } from "./secrets";
import { LongText, UserText } from "./user-text";

/** Edits a write: in a tab of its context, where its draft is by now, or in a dialog. */
export type OnEdit = (write: PendingWrite, tab?: Tab) => void;

/** Refused writes shown at first, and with each "more". */
const PAGE = 20;
/** The same beside what is shown of their context. */
const FEW = 3;
/** The longest text that is discarded without a question, in characters. */
const SHORT = 60;

export function RefusedWrites(props: {
  writes: readonly PendingWrite[];
  /** Shows the context of a write. Without it all are of the shown one, and there is less room. */
  onGo?: (address: Address) => void;
  onEdit: OnEdit;
}) {
  const { writes, onGo, onEdit } = props;
  const { replica, mayWrite } = useReplica();
  const [most, setMost] = useState(onGo ? PAGE : FEW);
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const list = useRef<HTMLElement>(null);
  const all = async (act: (write: PendingWrite) => Promise<void>) => {
    try {
      for (const write of writes) await act(write);
    } catch (error) {
      setFault(error);
    }
  };
  // The focus does not get lost with the button of a write that is gone.
  const inside = useRef(false);
  useLayoutEffect(() => {
    if (inside.current && document.activeElement === document.body) list.current?.focus();
  }, [writes]);
  useEffect(
    () => () => {
      if (!inside.current) return;
      const next = list.current?.closest<HTMLElement>("dialog, .inspector")?.querySelector<HTMLElement>(".icon");
      queueMicrotask(() => {
        if (document.activeElement === document.body) (next ?? document.getElementById("room"))?.focus();
      });
    },
    [],
  );
  const title = writes.length === 1 ? "A write was refused" : `${writes.length} writes were refused`;
  return (
    <section
      ref={list}
      class="refusals"
      aria-label={title}
      tabIndex={-1}
      onFocusCapture={() => (inside.current = true)}
    >
      <div class="row">
        <h3>
          <Glyph name="warning" /> {title}
        </h3>
        {writes.length > 1 && (
          <span class="row">
            <button type="button" class="button danger" onClick={() => setAsking(true)}>
              Discard all
            </button>
            {mayWrite && (
              <button type="button" class="button" onClick={() => all((write) => replica.retry(write))}>
                Try all again
              </button>
            )}
          </span>
        )}
      </div>
      {onGo && (
        <p class="quiet">
          {writes.length === 1 ? "It is" : "They are"} kept on this device, and not shown in the views. Everything else
          goes on.
        </p>
      )}
      {!mayWrite && <p class="notice">{READS_ONLY}</p>}
      {fault !== undefined && <Fault error={fault} />}
      <ol>
        {writes.slice(0, most).map((write) => (
          <Refusal key={write.key} write={write} onEdit={onEdit} {...(onGo ? { onGo } : {})} />
        ))}
      </ol>
      {writes.length > most && (
        <button type="button" class="button" onClick={() => setMost(most + PAGE)}>
          Show more: {writes.length - most} of {writes.length} are left
        </button>
      )}
      {asking && (
        <Discard
          title={`Discard all ${writes.length} refused writes?`}
          onKeep={() => setAsking(false)}
          onDiscard={() => {
            setAsking(false);
            void all((write) => replica.discard(write));
          }}
        />
      )}
    </section>
  );
}

function Refusal(props: { write: PendingWrite; onGo?: (address: Address) => void; onEdit: OnEdit }) {
  const { write, onGo, onEdit } = props;
  const { level, id, action, at: when, problem } = write;
  const { replica, mayWrite } = useReplica();
  const [asking, setAsking] = useState<"discard" | Editor>();
  const [fault, setFault] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const editor = editorOf(replica, write);
  const inexact = isInexact(write);
  const act = async (how: (write: PendingWrite) => Promise<void>) => {
    setAsking(undefined);
    setBusy(true);
    setFault(undefined);
    try {
      await how(write);
    } catch (error) {
      setFault(error);
    }
    setBusy(false);
  };
  const edit = (editor: Editor) => {
    setAsking(undefined);
    const { error } = attempt(() => makeDraft(replica, write, editor));
    if (error !== undefined) return setFault(error);
    onEdit(write, editor === "dialog" ? undefined : editor);
  };
  const what = `${action.replaceAll("_", " ")} of ${name({ level, id })}`;
  return (
    <li class="refusal" aria-label={what}>
      <div class="row">
        {onGo && (
          <button type="button" class="link" onClick={() => onGo({ level, id })}>
            <Layer of={write} />
          </button>
        )}
        <strong>{action.replaceAll("_", " ")}</strong>
        <span class="quiet">
          written <When at={when} />
        </span>
      </div>
      {problem && <Reason text={problem.detail} code={problem.code} pointer={problem.pointer} />}
      <details open={onGo !== undefined}>
        <summary>What was written</summary>
        <Written write={write} />
      </details>
      {inexact && (
        <p class="notice">It holds integers beyond 2^53, which are rounded here. Trying it again sends every digit.</p>
      )}
      {fault !== undefined && <Fault error={fault} />}
      <div class="row end">
        <button
          type="button"
          class="button danger"
          disabled={busy}
          onClick={() => (isQuicklyTyped(write) ? void act((write) => replica.discard(write)) : setAsking("discard"))}
        >
          Discard<span class="unseen"> the {what}</span>
        </button>
        {mayWrite && editor && !inexact && (
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => (wouldLose(replica, write, editor) ? setAsking(editor) : edit(editor))}
          >
            Edit<span class="unseen"> the {what}</span>
          </button>
        )}
        {mayWrite && (
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => void act((write) => replica.retry(write))}
          >
            Try again<span class="unseen"> the {what}</span>
          </button>
        )}
      </div>
      {asking === "discard" && (
        <Discard
          title="Discard what was written?"
          onKeep={() => setAsking(undefined)}
          onDiscard={() => void act((write) => replica.discard(write))}
        />
      )}
      {asking !== undefined && asking !== "discard" && (
        <Discard
          title={`Discard the draft in ${name({ level, id })}? This write takes its place.`}
          onKeep={() => setAsking(undefined)}
          onDiscard={() => edit(asking)}
        />
      )}
    </li>
  );
}

const HOW: Record<Wish["how"], string> = {
  set: "set to",
  add: "set to",
  remove: "taken out",
  hide: "hidden",
  append: "added to the list",
};

/** What was written. Secrets are hidden, and show for a while on request. */
function Written({ write }: { write: PendingWrite }) {
  const { replica } = useReplica();
  const { operation = {} as NonNullable<PendingWrite["operation"]> } = write;
  const { parent, rules = {}, version, cascade, content, category, importance, summary } = operation;
  const held = attempt(() => layerOf(replica, write).data).value;
  const wishes = wishesOf(operation).map((wish) => {
    const { pointer, value } = wish;
    return { ...wish, masked: masked(pointer, value, at(held, pointer)) };
  });
  const { shown, reveal } = useReveal(wishes.some(({ value, masked }) => !equal(value, masked)));
  const facts = [
    ...(parent === undefined ? [] : [`in ${above(write.level)} ${parent}`]),
    ...(version === undefined ? [] : [`back to version ${version}`]),
    ...(cascade ? ["with everything below it"] : []),
    ...(category === undefined ? [] : [category]),
    ...(importance === undefined ? [] : [`importance ${importance}`]),
    ...(Object.keys(rules).length > 0 ? [`rules ${glance(rules as Value)}`] : []),
    ...(summary ? [`why: ${summary}`] : []),
  ];
  return (
    <>
      {facts.length > 0 && (
        <p class="quiet">
          <UserText text={facts.join(" · ")} />
        </p>
      )}
      {content !== undefined && (
        <p>
          <LongText text={content} />
        </p>
      )}
      {wishes.length > 0 && (
        <ul class="changes">
          {wishes.slice(0, PAGE).map(({ pointer, how, value, masked }) => (
            <li key={pointer} class="change">
              <span>
                <code class="path">
                  <UserText text={pointer === "" ? "the whole layer" : pointer} />
                </code>{" "}
                {HOW[how]}
              </span>
              {value !== undefined && (
                <pre>
                  <LongText text={print(shown ? value : masked)} />
                </pre>
              )}
            </li>
          ))}
          {wishes.length > PAGE && <li class="quiet">and {wishes.length - PAGE} more</li>}
        </ul>
      )}
      {reveal}
    </>
  );
}

/** Whether a write is made again in a moment: it is discarded without a question. */
function isQuicklyTyped({ operation }: PendingWrite): boolean {
  const values = wishesOf(operation).map(({ value }) => value);
  return (operation?.content ?? "").length + values.map((value) => glance(value, Infinity)).join("").length <= SHORT;
}

/** A refused write in the dialog in which it is written anew. */
export function Rewrite(props: { write: PendingWrite; onClose: () => void; onGo: (address: Address) => void }) {
  const { write, onClose, onGo } = props;
  const { level, id, action, key, operation } = write;
  const { replica } = useReplica();
  const context = attempt(() => layerOf(replica, write)).value;
  const onDone = () => discardRefused(replica, key);
  if (context && action === "move") {
    return <Move context={context} start={operation?.parent ?? ""} onDone={onDone} onClose={onClose} />;
  }
  if (context && action === "delete") {
    return <Remove context={context} start={operation?.cascade ?? false} {...{ onDone, onClose, onGo }} />;
  }
  const { parent, rules, summary, create_parents } = operation ?? {};
  const start = {
    level,
    id,
    parent: parent ?? "",
    data: print(dataAfter(write, {})),
    rest: {
      ...(rules ? { rules } : {}),
      ...(summary ? { summary } : {}),
      ...(create_parents ? { create_parents } : {}),
    },
  };
  return <Create near={write} start={start} {...{ onDone, onClose, onGo }} />;
}
