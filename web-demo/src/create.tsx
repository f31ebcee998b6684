// Making a context, taking one away, bringing one back.

import type { Replica } from "@nacre/context";
import { useMemo, useState } from "preact/hooks";

import { type Address, GLOBAL, LEVELS, type Level, above, below, key, name } from "./address";
import { JsonField } from "./layer";
import { mistake, parse, text } from "./json";
import { Dialog, Fault, Layer } from "./parts";
import { PreviewOf } from "./preview";
import { useRead, useReplica } from "./reading";

export function Create(props: { near: Address; onClose: () => void; onGo: (address: Address) => void }) {
  const { near, onClose, onGo } = props;
  const { replica } = useReplica();
  const noGlobal = !replica.has("global", "global");
  const [level, setLevel] = useState<Level>(noGlobal ? "global" : (below(near.level) ?? "task"));
  const [id, setId] = useState("");
  const up = above(level);
  const parents = useRead((replica) => (up ? replica.list({ level: up }).items : []), [up]).value ?? [];
  const [parent, setParent] = useState(near.id);
  const [data, setData] = useState("{\n  \n}");
  const [fault, setFault] = useState<unknown>();
  const wrong = useMemo(() => mistake(data), [data]);
  const needsParent = up !== undefined && up !== "global";
  const chosen = parents.some((one) => one.id === parent) ? parent : (parents[0]?.id ?? "");

  const submit = async (event: Event) => {
    event.preventDefault();
    if (wrong) return;
    const address = level === "global" ? GLOBAL : { level, id: id.trim() };
    try {
      await replica.create(address.level, address.id, {
        data: text(parse(data)),
        ...(needsParent ? { parent: chosen } : {}),
      });
      onClose();
      onGo(address);
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title="A new context" onClose={onClose}>
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
        <JsonField label="What it says" text={data} wrong={wrong} onText={setData} />
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="submit" class="button main" disabled={wrong !== undefined || (needsParent && chosen === "")}>
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What was taken away while this page was open, newest last. */
const removed = new Map<string, Address>();

export function Remove({ address, onClose }: { address: Address; onClose: () => void }) {
  const { replica } = useReplica();
  const below = useRead(
    (replica) => replica.list({ under: address }).items.filter((item) => key(item) !== key(address)).length,
    [key(address)],
  ).value;
  const [cascade, setCascade] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [, setTaken] = useState(false);
  const operations = useMemo(
    () => [{ action: "delete" as const, level: address.level, context_id: address.id, cascade }],
    [address, cascade],
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await replica.remove(address.level, address.id, { cascade });
      removed.set(key(address), address);
      onClose();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title={`Delete ${name(address)}?`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>It can be restored, with its history and everything that goes with it.</p>
        {below !== undefined && below > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={cascade}
              onChange={(event) => setCascade(event.currentTarget.checked)}
            />
            and the {below} {below === 1 ? "context" : "contexts"} below it
          </label>
        )}
        {(cascade || below === 0) && <PreviewOf operations={operations} onVerdict={setTaken} />}
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Keep it
          </button>
          <button type="submit" class="button main" disabled={below !== 0 && !cascade}>
            Delete
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Remembers what others take away, so that it can be found for bringing back. @returns ends it. */
export function noteRemovals(replica: Replica): () => void {
  return replica.on("change", ({ action, level, context_id: id }) => {
    const address = { level, id };
    if (action === "delete") removed.set(key(address), address);
    else removed.delete(key(address));
  });
}

export function Deleted(props: { onClose: () => void; onGo: (address: Address) => void }) {
  const { replica } = useReplica();
  const [level, setLevel] = useState<Level>("task");
  const [id, setId] = useState("");
  const [fault, setFault] = useState<unknown>();
  const gone = [...removed.values()].filter((one) => !replica.has(one.level, one.id)).reverse();
  const restore = async (address: Address) => {
    try {
      await replica.restore(address.level, address.id);
      removed.delete(key(address));
      props.onClose();
      props.onGo(address);
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title="Restore what was deleted" onClose={props.onClose}>
      {gone.length > 0 && (
        <ul class="queue">
          {gone.map((address) => (
            <li key={key(address)} class="row">
              <Layer of={address} />
              <button type="button" class="button" onClick={() => restore(address)}>
                Restore<span class="unseen"> {name(address)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void restore({ level, id: id.trim() });
        }}
      >
        <p class="quiet">
          {gone.length > 0
            ? "Or name one that was deleted earlier."
            : "Nothing was deleted since this page was opened. Name one that was deleted earlier."}
        </p>
        <div class="pair">
          <label class="field">
            Level
            <select value={level} onChange={(event) => setLevel(event.currentTarget.value as Level)}>
              {LEVELS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <label class="field">
            Name
            <input value={id} required onInput={(event) => setId(event.currentTarget.value)} />
          </label>
        </div>
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="submit" class="button main">
            Restore
          </button>
        </div>
      </form>
    </Dialog>
  );
}
