// One value of the view: its origin, the values it hides, and an editor for it in the shown layer.

import type { JsonText, Operation, Origin } from "@nacre/context";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Address, name, same } from "./address";
import { hidesSomething } from "./characters";
import { draftOf, keepDraft, placeOf } from "./drafts";
import {
  type Members,
  type Value,
  at,
  equal,
  escapeName,
  glance,
  isObject,
  isSealed,
  names,
  parse,
  print,
  text as exact,
} from "./json";
import { Fault, Glyph, Layer, Name, READS_ONLY } from "./parts";
import { PreviewOf } from "./preview";
import { type Held, type Shown, layerOf, useRead, useReplica } from "./reading";
import { LongText, UserText } from "./user-text";
import { savedWhere, useWriting } from "./writing";

export function Inspector(props: {
  address: Address;
  view: Shown;
  pointer: string;
  onOpenLayer: (address: Address) => void;
}) {
  const { address, view, pointer, onOpenLayer } = props;
  const { mayWrite } = useReplica();
  const value = at(view.data, pointer);
  const origin = originOf(view, pointer);
  const layers = useRead((replica) => view.chain.map((link) => layerOf(replica, link)), [view]);
  const own = layers.value?.find((layer) => same(layer, address));
  return (
    <div class="origin">
      {layers.value && (
        <Stack chain={layers.value} view={view} pointer={pointer} origin={origin} onOpenLayer={onOpenLayer} />
      )}
      {!mayWrite ? (
        <p class="quiet">{READS_ONLY}</p>
      ) : inList(view, pointer) ? (
        <p class="quiet">Items of a list are changed together with their list, in its layer.</p>
      ) : (
        <Change key={`${address.level}/${address.id}${pointer}`} {...{ address, pointer, value, own }} />
      )}
    </div>
  );
}

/** The origin of a value, or of the array that contains it. */
function originOf(view: Shown, pointer: string): Origin | undefined {
  for (let path = pointer; path !== ""; path = around(path)) {
    const origin = view.origins[path];
    if (origin) return origin;
    if (path === pointer && isObject(at(view.data, path))) return undefined;
  }
  return undefined;
}

function inList(view: Shown, pointer: string): boolean {
  for (let path = pointer; path !== ""; ) {
    path = around(path);
    if (Array.isArray(at(view.data, path))) return true;
  }
  return false;
}

/**
 * The value of one layer at a place of the view. In lists that merge by rule, items have other
 * indexes in each layer: `keyed` ones are found by their key, others by their value. Of a layer's
 * items with one key the last counts.
 */
function saidBy(layer: Held, view: Shown, pointer: string): Value | undefined {
  let said: Value | undefined = layer.data;
  let path = "";
  for (const name of names(pointer)) {
    const shown = at(view.data, path);
    const list = Array.isArray(shown) ? (view.origins[path]?.rule ?? "") : "";
    const item = Array.isArray(shown) ? shown[Number(name)] : undefined;
    path = `${path}/${escapeName(name)}`;
    if (list.startsWith("keyed:") && Array.isArray(said) && isObject(item)) {
      const key = list.slice("keyed:".length).split(",");
      said = said.findLast((one) => isObject(one) && key.every((name) => equal(one[name], item[name])));
    } else if (list === "union" && Array.isArray(said)) {
      said = said.find((one) => equal(one, item));
    } else if (list === "append" && Array.isArray(said)) {
      const origin = originOf(view, pointer);
      said = origin && same(origin, layer) ? item : undefined;
    } else {
      said = at(said, `/${escapeName(name)}`);
    }
  }
  return said;
}

/** The pointer of what a value stands in. */
const around = (pointer: string) => pointer.slice(0, pointer.lastIndexOf("/"));

/** The value in each layer of the chain, the winning one first. */
function Stack(props: {
  chain: readonly Held[];
  view: Shown;
  pointer: string;
  origin: Origin | undefined;
  onOpenLayer: (address: Address) => void;
}) {
  const { chain, view, pointer, origin, onOpenLayer } = props;
  const said = [...chain].reverse().flatMap((layer) => {
    const value = saidBy(layer, view, pointer);
    const wins = origin !== undefined && same(origin, layer);
    if (value === undefined && !wins) return [];
    const unheard = view.ignored.filter((one) => same(one, layer));
    const lock = unheard.find(
      (one) => one.locked_by && (pointer === one.pointer || pointer.startsWith(`${one.pointer}/`)),
    )?.locked_by;
    const twins = unheard.filter((one) => !one.locked_by && around(one.pointer) === pointer).length;
    const hidden = origin?.shadowed.some((one) => same(one, layer)) ?? false;
    return [{ layer, value, wins, hidden, lock, twins }];
  });
  if (said.length === 0) {
    const isGone = at(view.data, pointer) === undefined;
    return (
      <p class="quiet">
        {isGone ? "It is no longer there." : "Put together by rule from the lists of several layers."}
      </p>
    );
  }
  return (
    <ol class="stack" aria-label="Layers that say something about it, nearest first">
      {said.map(({ layer, value, wins, hidden, lock, twins }) => (
        <li key={`${layer.level}/${layer.id}`} class={`${layer.level} ${hidden || lock ? "hidden" : ""}`}>
          <div class="row">
            <Layer of={layer} version={wins ? origin?.version : layer.version} />
            <button type="button" class="link" onClick={() => onOpenLayer(layer)}>
              open layer<span class="unseen"> {name(layer)}</span>
            </button>
          </div>
          {value !== undefined && <Text value={value} />}
          <p class="why">
            {lock ? (
              <>
                not heard: <Name of={lock} /> has locked this path
              </>
            ) : wins ? (
              <>
                set by <UserText text={origin?.by ?? ""} /> · rule {origin?.rule}
              </>
            ) : hidden ? (
              "hidden"
            ) : (
              <>
                by <UserText text={layer.updated_by} />, merged in
              </>
            )}
            {twins > 0 && ` · ${twins} of its items not heard: a later one has the same key`}
          </p>
        </li>
      ))}
    </ol>
  );
}

function Text({ value }: { value: Value }) {
  if (isSealed(value)) {
    return (
      <span class="sealed">
        <Glyph name="lock" /> sealed: it is never shown here
      </span>
    );
  }
  if (value === null) return <pre>null, which removes what is inherited</pre>;
  return (
    <pre>
      <LongText text={typeof value === "string" && value !== "" ? value : print(value)} />
    </pre>
  );
}

/** An unsaved value, and the text that it was made from. */
interface Draft {
  text: string;
  asText: boolean;
  start: string;
}

/** Changes the value in the shown layer. */
function Change(props: { address: Address; pointer: string; value: Value | undefined; own: Held | undefined }) {
  const { address, pointer, value, own } = props;
  const { replica } = useReplica();
  const held = at(own?.data, pointer);
  const now = held === undefined || held === null ? value : held;
  const drafted = placeOf(replica.user, address, `value ${pointer}`);
  const [kept] = useState(() => draftOf<Draft>(drafted));
  const [mode, setMode] = useState<"set" | "hide" | "drop" | undefined>(kept && "set");
  const [text, setText] = useState(kept?.text ?? "");
  const [start, setStart] = useState(kept?.start ?? "");
  const [taken, setTaken] = useState(false);
  const [said, setSaid] = useState("");
  // What cannot be seen is edited as an escape.
  const plain = typeof now === "string" && !hidesSomething(now);
  const begun = plain ? now : print(now);
  const [asText, setAsText] = useState(kept?.asText ?? plain);
  useLayoutEffect(() => {
    const draft: Draft = { text, asText, start };
    keepDraft(drafted, mode === "set" && text !== start ? draft : undefined);
  }, [drafted, mode, text, asText, start]);
  const read = useMemo((): { value: Value } | { wrong: string } => {
    if (asText) return { value: text };
    try {
      return { value: parse(text) };
    } catch {
      return { wrong: "This is no JSON value: put text in quotes, or choose Text." };
    }
  }, [text, asText]);
  const operations = useMemo((): Operation[] => {
    const on = { level: address.level, context_id: address.id };
    if (mode === "hide") return [{ action: "unset", ...on, pointers: [pointer] }];
    if (mode === "drop") return [{ action: "update", ...on, patch: [{ op: "remove", path: pointer }] }];
    if (mode !== "set" || "wrong" in read || equal(read.value, held)) return [];
    return [{ action: "update", ...on, patch: write(own?.data ?? {}, pointer, read.value) }];
  }, [mode, read, own, pointer]);

  const { submit, busy, fault, forget } = useWriting(async () => {
    if (!taken) return;
    await replica.batch(operations);
    setMode(undefined);
    setSaid(savedWhere(replica));
  });

  // The focus moves into the form when it opens, and back to the button when it closes.
  const place = useRef<HTMLDivElement & HTMLFormElement>(null);
  const was = useRef(mode);
  useLayoutEffect(() => {
    if (was.current !== mode) place.current?.querySelector<HTMLElement>("textarea, button")?.focus();
    was.current = mode;
  }, [mode]);

  if (!own) return null;
  const begin = (next: "set" | "hide" | "drop") => {
    setMode(next);
    setSaid("");
    forget();
    setAsText(plain);
    setStart(begun);
    setText(begun);
  };
  if (!mode) {
    return (
      <div ref={place} class="row">
        {!isSealed(value) && (
          <button type="button" class="button" onClick={() => begin("set")}>
            {held === undefined ? "Set here" : "Change"}
          </button>
        )}
        {held !== undefined && (
          <button type="button" class="button" onClick={() => begin("drop")}>
            Take out of this layer
          </button>
        )}
        {held === undefined && (
          <button type="button" class="button" onClick={() => begin("hide")}>
            Hide here
          </button>
        )}
        <span role="status" class="said">
          {said}
        </span>
      </div>
    );
  }
  return (
    <form ref={place} class="change-form" onSubmit={submit}>
      <h3>
        In <Name of={address} />
        {mode === "hide" && ": hide what is inherited"}
        {mode === "drop" && ": take the value out, and let the layers above decide"}
      </h3>
      {mode === "set" && (
        <>
          <div class="row" role="group" aria-label="Kind of value">
            <label class="check">
              <input type="radio" name="kind" checked={asText} onChange={() => setAsText(true)} /> Text
            </label>
            <label class="check">
              <input type="radio" name="kind" checked={!asText} onChange={() => setAsText(false)} /> JSON
            </label>
          </div>
          <textarea
            aria-label="New value"
            rows={Math.min(10, text.split("\n").length + 1)}
            spellcheck={asText}
            value={text}
            aria-invalid={"wrong" in read}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          {begun !== start && (
            <p class="notice" role="status">
              {now === undefined ? (
                "It was taken out meanwhile. Saving sets it again."
              ) : (
                <>
                  It has changed meanwhile, to{" "}
                  <code>
                    <UserText text={glance(now)} />
                  </code>
                  . Saving replaces that.
                </>
              )}
            </p>
          )}
          {"wrong" in read && <p class="fault">{read.wrong}</p>}
        </>
      )}
      <div class="commit">
        <div class="effect">
          <PreviewOf operations={operations} onVerdict={setTaken} />
          {fault !== undefined && <Fault error={fault} />}
        </div>
        <div class="row end">
          <button type="button" class="button" onClick={() => setMode(undefined)}>
            Cancel
          </button>
          <button type="submit" class="button main" disabled={busy || !taken}>
            Save
          </button>
        </div>
      </div>
    </form>
  );
}

/** The edit that sets a value at a pointer, even if the layer lacks the objects above it. */
function write(data: Members, pointer: string, value: Value): JsonText {
  const parent = pointer.slice(0, pointer.lastIndexOf("/"));
  return exact(isObject(at(data, parent)) ? [{ op: "add", path: pointer, value }] : nested(pointer, value));
}

/** The merge patch (RFC 7396) that changes one place only. */
function nested(pointer: string, value: Value): Value {
  return names(pointer).reduceRight<Value>((inner, name) => ({ [name]: inner }), value);
}
