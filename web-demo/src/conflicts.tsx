// Conflicts: the base, their value and my value side by side, and the decision.

import type { Conflict, Replica } from "@nacre/context";
import { useState } from "preact/hooks";

import { Dialog } from "./dialog";
import { type Value, equal, isSealed, mistake, parse, print, text as exact } from "./json";
import { Fault, Glyph, Layer, READS_ONLY, When } from "./parts";
import { attempt, useReplica } from "./reading";
import { masked, useReveal } from "./secrets";
import { LongText, UserText } from "./user-text";

const WHAT: Record<Conflict["aspect"], string> = {
  data: "Both changed this value; the rest of the write went through.",
  context: "One side deleted or made the context while the other changed it.",
  parent: "Both moved the context.",
  rules: "Both changed its merge rules.",
};

/** A conflict whose values keep every digit. */
type Held = Omit<Conflict, Side> & { [side in Side]?: Value };
type Side = "ancestor" | "theirs" | "mine";

export function Conflicts({ onClose }: { onClose: () => void }) {
  const { replica } = useReplica();
  const [filled, setFilled] = useState<ReadonlySet<string>>(new Set());
  const conflicts = parse(replica.conflictsText()) as unknown as Held[];
  return (
    <Dialog title="Conflicts" wide filled={conflicts.some(({ id }) => filled.has(id))} onClose={onClose}>
      {conflicts.length === 0 ? (
        <p class="nothing">None. What others changed meanwhile has been merged.</p>
      ) : (
        <ol class="conflicts">
          {conflicts.map((conflict) => (
            <Decision
              key={conflict.id}
              conflict={conflict}
              replica={replica}
              onFill={() => setFilled((before) => new Set(before).add(conflict.id))}
            />
          ))}
        </ol>
      )}
    </Dialog>
  );
}

function Decision(props: { conflict: Held; replica: Replica; onFill: () => void }) {
  const { conflict, replica, onFill } = props;
  const { mayWrite } = useReplica();
  const { aspect, level, context_id: id, pointer, ancestor, theirs, mine, at, summary } = conflict;
  const [editing, setEditing] = useState(false);
  const [text, setText] = useState(() => print(mine ?? theirs));
  const [fault, setFault] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const own = attempt(() => parse(text));
  const hidden = masked(pointer, mine, isSealed(theirs) ? theirs : ancestor);
  const { shown, reveal } = useReveal(!equal(mine, hidden));
  const canEdit = (aspect === "data" || aspect === "context") && !isSealed(mine) && !isSealed(theirs);
  const settle = async (choice: "mine" | "theirs" | { text: string }) => {
    setBusy(true);
    try {
      await replica.settle(conflict.id, choice);
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };
  return (
    <li class="conflict">
      <div class="row">
        <Layer of={{ level, id }} />
        <code>
          <UserText text={pointer === "" ? "the whole of it" : pointer} />
        </code>
      </div>
      <p class="quiet">
        {WHAT[aspect]} Mine is from <When at={at} />
        {summary ? (
          <>
            : <UserText text={summary} />
          </>
        ) : (
          "."
        )}
      </p>
      <div class="sides">
        <Column title="Before" value={ancestor} absent="not there" />
        <Column title="Theirs" value={theirs} absent="taken out" />
        <Column title="Mine" value={shown ? mine : hidden} absent="taken out" />
      </div>
      {reveal}
      {editing && (
        <div class="field">
          <label for={`own-${conflict.id}`}>Another value, as JSON</label>
          <textarea
            id={`own-${conflict.id}`}
            rows={Math.min(12, text.split("\n").length + 1)}
            value={text}
            aria-invalid={own.error !== undefined}
            onInput={(event) => {
              setText(event.currentTarget.value);
              onFill();
            }}
          />
          {own.error !== undefined && <p class="fault">{mistake(text, own.error).message}</p>}
        </div>
      )}
      {fault !== undefined && <Fault error={fault} />}
      {!mayWrite && <p class="notice">{READS_ONLY}</p>}
      <div class="row end">
        <button type="button" class="button" disabled={busy} onClick={() => settle("theirs")}>
          Take theirs
        </button>
        <button type="button" class="button" disabled={busy || !mayWrite} onClick={() => settle("mine")}>
          Keep mine
        </button>
        {canEdit && mayWrite && !editing && (
          <button type="button" class="button" disabled={busy} onClick={() => setEditing(true)}>
            Another value …
          </button>
        )}
        {editing && (
          <button
            type="button"
            class="button main"
            disabled={busy || own.value === undefined}
            onClick={() => own.value !== undefined && settle({ text: exact(own.value) })}
          >
            Save this value
          </button>
        )}
      </div>
    </li>
  );
}

function Column({ title, value, absent }: { title: string; value: Value | undefined; absent: string }) {
  return (
    <div role="group" class={`side-${title.toLowerCase()}`} aria-label={title}>
      <h3>{title}</h3>
      {value === undefined ? (
        <p class="quiet">{absent}</p>
      ) : isSealed(value) ? (
        <span class="sealed">
          <Glyph name="lock" /> sealed
        </span>
      ) : (
        <pre>
          <LongText text={print(value)} />
        </pre>
      )}
    </div>
  );
}
