// Creates, deletes and restores contexts.

import type { DeletedContext, NewContext } from "@nacre/context";
import { useEffect, useId, useMemo, useState } from "preact/hooks";

import { type Address, GLOBAL, LEVELS, type Level, above, below, key, name } from "./address";
import { Dialog } from "./dialog";
import { read, text } from "./json";
import { JsonField } from "./json-field";
import { Fault, Layer, When } from "./parts";
import { PreviewOf } from "./preview";
import { type Held, useRead, useReplica } from "./reading";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

/** The data that a new context begins with. */
const EMPTY = "{\n  \n}";

/** What a new context begins with, and what of it has no field here. */
interface Start extends Address {
  parent: string;
  data: string;
  rest: Partial<Omit<NewContext, "data" | "parent">>;
}

/** `onDone` is called once it is made. */
export function Create(props: {
  near: Address;
  start?: Start;
  onDone?: () => Promise<void>;
  onClose: () => void;
  onGo: (address: Address) => void;
}) {
  const { near, start, onDone, onClose, onGo } = props;
  const { replica } = useReplica();
  const noGlobal = !replica.has("global", "global");
  const [level, setLevel] = useState<Level>(start?.level ?? (noGlobal ? "global" : (below(near.level) ?? "task")));
  const [id, setId] = useState(start?.id ?? "");
  const up = above(level);
  const parents = useRead((replica) => (up ? replica.list({ level: up }).items : []), [up]).value ?? [];
  const [parent, setParent] = useState(start?.parent ?? near.id);
  const begun = start?.data ?? EMPTY;
  const [data, setData] = useState(begun);
  const { value: said, wrong } = useMemo(() => read(data), [data]);
  const needsParent = up !== undefined && up !== "global";
  const chosen = parents.some((one) => one.id === parent) ? parent : (parents[0]?.id ?? "");

  const { submit, busy, fault } = useWriting(async () => {
    if (!said) return;
    const address = level === "global" ? GLOBAL : { level, id: id.trim() };
    await replica.create(address.level, address.id, {
      ...start?.rest,
      data: text(said),
      ...(needsParent ? { parent: chosen } : {}),
    });
    await onDone?.();
    onClose();
    onGo(address);
  });
  return (
    <Dialog title="A new context" filled={id !== (start?.id ?? "") || data !== begun} onClose={onClose}>
      <form onSubmit={submit}>
        <div class="pair">
          <label class="field">
            Level
            <select value={level} onChange={(event) => setLevel(event.currentTarget.value as Level)}>
              {LEVELS.map((one) => (
                <option key={one} value={one} disabled={one === "global" && !noGlobal}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          {needsParent && (
            <label class="field">
              In which {up}
              <select value={chosen} required onChange={(event) => setParent(event.currentTarget.value)}>
                {parents.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.id}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
        {level !== "global" && (
          <label class="field">
            Name: letters, digits and . _ : ~ -
            <input
              value={id}
              required
              maxLength={128}
              pattern="[A-Za-z0-9._:~\-]+"
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setId(event.currentTarget.value)}
            />
          </label>
        )}
        {needsParent && parents.length === 0 && (
          <p class="notice">
            A {level} is in a {up}, and there is none yet: make that first.
          </p>
        )}
        <JsonField label="What it says" text={data} wrong={wrong} onText={setData} />
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button
            type="submit"
            class="button main"
            disabled={busy || wrong !== undefined || (needsParent && chosen === "")}
          >
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** `start` is whether what is below goes along at first; `onDone` is called once it is deleted. */
export function Remove(props: {
  context: Held;
  start?: boolean;
  onDone?: () => Promise<void>;
  onClose: () => void;
  onGo: (address: Address) => void;
}) {
  const { context, start = false, onDone, onClose, onGo } = props;
  const address = useMemo((): Address => ({ level: context.level, id: context.id }), [context.level, context.id]);
  const { replica } = useReplica();
  const below = useRead(
    (replica) => replica.list({ under: address }).items.filter((item) => key(item) !== key(address)).length,
    [key(address)],
  ).value;
  const [cascade, setCascade] = useState(start);
  const reason = useId();
  const [, setTaken] = useState(false);
  const operations = useMemo(
    () => [{ action: "delete" as const, level: address.level, context_id: address.id, cascade }],
    [address, cascade],
  );
  const { submit, busy, fault } = useWriting(async () => {
    await replica.remove(address.level, address.id, { cascade });
    await onDone?.();
    onClose();
    const up = above(address.level);
    if (up) onGo(up === "global" ? GLOBAL : { level: up, id: context.parent ?? "" });
  });
  return (
    <Dialog title={`Delete ${name(address)}?`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>It can be restored, with its history and everything that goes with it.</p>
        {below !== undefined && below > 0 && (
          <label class="check">
            <input type="checkbox" checked={cascade} onChange={(event) => setCascade(event.currentTarget.checked)} />
            and the {below} {below === 1 ? "context" : "contexts"} below it
          </label>
        )}
        {below !== undefined && below > 0 && !cascade && (
          <p id={reason} class="notice">
            It cannot be deleted alone: {below === 1 ? "a context is" : `${below} contexts are`} below it.
          </p>
        )}
        {(cascade || below === 0) && <PreviewOf operations={operations} onVerdict={setTaken} />}
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Keep it
          </button>
          <button
            type="submit"
            class="button main"
            aria-describedby={below !== 0 && !cascade ? reason : undefined}
            disabled={busy || (below !== 0 && !cascade)}
          >
            Delete
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Contexts that can be restored: deleted here and not sent yet, or in the server's audit trail. */
export function Deleted(props: { onClose: () => void; onGo: (address: Address) => void }) {
  const { replica } = useReplica();
  const [trail, setTrail] = useState<{ items: DeletedContext[]; next: string | null | undefined }>({
    items: [],
    next: undefined,
  });
  const [fault, setFault] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const look = async (cursor?: string | null) => {
    setBusy(true);
    try {
      const page = await replica.deleted(cursor ? { cursor } : {});
      setTrail(({ items }) => ({ items: [...items, ...page.items], next: page.next_cursor }));
      setFault(undefined);
    } catch (error) {
      setFault(error);
    }
    setBusy(false);
  };
  useEffect(() => void look(), []);
  const waiting = replica
    .pending()
    .filter(({ action }) => action === "delete")
    .reverse();
  const all = [...waiting, ...trail.items].filter((one) => !replica.has(one.level, one.id));
  const gone = [...new Map(all.map((one) => [key(one), one])).values()];
  const restore = async ({ level, id }: Address) => {
    setBusy(true);
    try {
      await replica.restore(level, id);
      props.onClose();
      props.onGo({ level, id });
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Restore what was deleted" onClose={props.onClose}>
      {gone.length > 0 && (
        <ul class="queue">
          {gone.map((one) => (
            <li key={key(one)} class="row">
              <span class="row">
                <Layer of={one} />
                <span class="quiet">
                  {"count" in one && one.count > 1 && `and ${one.count - 1} below it, `}
                  <When at={one.at} />
                  {"by" in one && (
                    <>
                      , by <UserText text={one.by} />
                    </>
                  )}
                </span>
              </span>
              <button type="button" class="button" disabled={busy} onClick={() => restore(one)}>
                Restore<span class="unseen"> {name(one)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {fault !== undefined && <Fault error={fault} />}
      {gone.length === 0 && trail.next === null && <p class="nothing">Nothing that was deleted is still gone.</p>}
      <div class="row end" role="status">
        {busy && <span class="quiet">Asking the server …</span>}
        {typeof trail.next === "string" && (
          <button type="button" class="button" disabled={busy} onClick={() => look(trail.next)}>
            Look further back
          </button>
        )}
        {trail.next === undefined && !busy && (
          <button type="button" class="button" onClick={() => look()}>
            Try again
          </button>
        )}
      </div>
    </Dialog>
  );
}
