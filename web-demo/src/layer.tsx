// One stored layer as text. Mistakes show while typing, and so do all changes that a save would
// make below.

import type { Merge, Operation, Rules } from "@nacre/context";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { visible } from "./characters";
import { draftOf, keepDraft, placeOf, useFocusWhenFilled } from "./drafts";
import { type Members, type Value, at, equal, isObject, isRounded, parse, print, read, steps, text } from "./json";
import { type Edited, editText, replaceText } from "./json-edits";
import { JsonField } from "./json-field";
import { Fault, READS_ONLY, When } from "./parts";
import { PreviewOf } from "./preview";
import { type Held, attempt, layerOf, useReplica } from "./reading";
import { discardRefused } from "./refusals";
import { UserText } from "./user-text";
import { savedWhere, useWriting } from "./writing";

/** An unsaved layer, and what it was made from. */
interface Draft {
  base: Held;
  data: string;
  rules: string;
  summary: string;
  clashes: readonly string[];
  /** The refused write that it takes the place of. */
  instead?: string | undefined;
}

/** A clash of the merge rules, among the pointers of other clashes. */
const RULES = "rules";

export function LayerEditor({ context }: { context: Held }) {
  const { replica, mayWrite } = useReplica();
  const place = placeOf(replica.user, context, "layer");
  const [kept] = useState(() => draftOf<Draft>(place));
  const [base, setBase] = useState(kept?.base ?? context);
  const [data, setData] = useState(() => kept?.data ?? print(context.data));
  const [rules, setRules] = useState(() => kept?.rules ?? print(context.rules));
  const [summary, setSummary] = useState(kept?.summary ?? "");
  const [taken, setTaken] = useState(false);
  const [said, setSaid] = useState("");
  /** Whether an input method is putting a word together, which a change of the text would break off. */
  const [composing, setComposing] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  useFocusWhenFilled(field, kept?.instead !== undefined);
  /** Places that another user has changed while they are being edited here. */
  const [clashes, setClashes] = useState<readonly string[]>(kept?.clashes ?? []);
  const [instead, setInstead] = useState(kept?.instead);

  const typed = useMemo(() => read(data), [data]);
  const typedRules = useMemo(() => read(rules), [rules]);
  const held = useMemo(() => ({ data: print(base.data), rules: print(base.rules) }), [base]);
  const rounded = useMemo(() => isRounded(base.data), [base]);
  const untouched = data === held.data && rules === held.rules;
  /** Puts other data into the field. The caret and what is in sight stay where they are. */
  const rewrite = ({ text, moved }: Edited) => {
    const area = field.current;
    if (area?.value === data) {
      const { selectionStart, selectionEnd, selectionDirection, scrollTop, scrollLeft } = area;
      area.value = text; // Preact would set it too, with the caret at the end
      area.setSelectionRange(moved(selectionStart), moved(selectionEnd), selectionDirection);
      area.scrollTo(scrollLeft, scrollTop);
    }
    setData(text);
  };
  const begin = (from: Held) => {
    setBase(from);
    rewrite(replaceText(data, print(from.data)));
    setRules(print(from.rules));
    forget();
    setClashes([]);
    setInstead(undefined);
  };
  useLayoutEffect(() => {
    const draft: Draft = { base, data, rules, summary, clashes, instead };
    keepDraft(place, untouched ? undefined : draft, true);
  }, [place, base, data, rules, summary, clashes, instead, untouched]);

  const { operations, refused } = useMemo(() => {
    const nothing = { operations: [] as Operation[], refused: undefined as unknown };
    if (typed.wrong || typedRules.wrong) return nothing;
    const { value, error } = attempt(() => edits(base, typed.value, typedRules.value));
    return value ? { ...nothing, operations: value } : { ...nothing, refused: error };
  }, [base, typed, typedRules]);

  const typing = useRef({ data, rules });
  typing.current = { data, rules };
  const { submit, busy, fault, forget } = useWriting(async () => {
    if (!taken || !mayWrite) return;
    const why = summary.trim();
    const written = await replica.batch(operations.map((one) => (why === "" ? one : { ...one, summary: why })));
    if (!written[0]) return;
    if (instead !== undefined) await discardRefused(replica, instead);
    setInstead(undefined);
    const saved = layerOf(replica, written[0]);
    if (typing.current.data === data && typing.current.rules === rules) begin(saved);
    else setBase(saved); // the next draft has begun already
    setSummary("");
    setSaid(savedWhere(replica));
  });
  const isBehind = context.version !== base.version || !equal(context.data, base.data);
  /** Others have saved, and what is typed cannot be merged until it is JSON again. */
  const isLate = isBehind && !untouched && (typed.wrong !== undefined || typedRules.wrong !== undefined);
  // During rendering, not after it: a save from here must not look like a change by another user.
  useLayoutEffect(() => {
    if (busy || !isBehind) return;
    if (composing) return;
    if (untouched) return begin(context);
    if (isLate) return;
    const edits = { base: text(base.data), draft: text(typed.value) };
    const draft = parse(replica.mergeText(context.level, context.id, edits)) as unknown as Merge;
    const earlier = clashes.filter((path) => !equal(at(typed.value, path), at(context.data, path)));
    const met = new Set([...draft.conflicts, ...earlier.filter((path) => path !== RULES)]);
    if (rules === held.rules) setRules(print(context.rules));
    else if (
      !equal(typedRules.value, context.rules) &&
      (clashes.includes(RULES) || !equal(base.rules, context.rules))
    ) {
      met.add(RULES);
    }
    setBase(context);
    rewrite(editText(data, draft.data));
    setClashes([...met]);
    setSaid(`${visible(context.updated_by)} has saved version ${context.version}; it is taken in here.`);
  }, [context, typed, typedRules, busy, composing]);

  return (
    <form class={`layer-editor ${untouched ? "" : "touched"}`} onSubmit={submit}>
      <div class="text">
        <p class="quiet">
          Version {base.version}, by <UserText text={base.updated_by} />, <When at={base.updated_at} />. This is what
          the layer itself says; a <code>null</code> hides what is inherited.
        </p>
        {!mayWrite && <p class="notice">{READS_ONLY}</p>}
        {instead !== undefined && !untouched && (
          <p class="notice">This is what was refused. Saving it discards the refused write.</p>
        )}
        {clashes.length > 0 && (
          <div class="notice" role="alert">
            <span>
              <UserText text={base.updated_by} /> has written here too:{" "}
              {clashes.map((path) => (
                <code key={path}>
                  <UserText text={path === "" ? "the whole document" : path} />{" "}
                </code>
              ))}
              Your text stands; saving it replaces theirs.
            </span>{" "}
            <button type="button" class="link" onClick={() => begin(context)}>
              Drop mine
            </button>
          </div>
        )}
        {isLate && (
          <p class="notice" role="status">
            <UserText text={context.updated_by} /> has saved version {context.version}. It is taken in here as soon as
            this is JSON again.
          </p>
        )}
        {rounded && (
          <p class="notice">
            It holds integers beyond 2^53, which this browser rounds. What is not changed keeps them.
          </p>
        )}
        <JsonField
          label="Data"
          text={data}
          wrong={typed.wrong}
          field={field}
          readOnly={!mayWrite}
          onText={(text) => {
            setData(text);
            setSaid("");
          }}
          onComposing={setComposing}
        />
        <details open={Object.keys(base.rules).length > 0}>
          <summary>Rules: how paths merge, here and below</summary>
          <JsonField label="Rules" text={rules} wrong={typedRules.wrong} readOnly={!mayWrite} onText={setRules} />
          <p class="quiet">
            A pointer and its rule: <code>replace</code>, <code>deep</code>, <code>union</code>, <code>append</code>,{" "}
            <code>keyed:id</code> or <code>lock</code>.
          </p>
        </details>
      </div>
      <div class={`commit ${untouched && said === "" ? "idle" : ""}`}>
        {!untouched && (
          <div class="effect">
            {operations.length > 0 && <PreviewOf operations={operations} onVerdict={setTaken} />}
            {refused !== undefined && <Fault error={refused} />}
            {fault !== undefined && <Fault error={fault} />}
          </div>
        )}
        <div class="save">
          {!untouched && (
            <label class="field">
              Why (for the history)
              <input value={summary} maxLength={500} onInput={(event) => setSummary(event.currentTarget.value)} />
            </label>
          )}
          <div class="row end">
            <span role="status" class="said">
              {untouched || clashes.length === 0 ? said : ""}
            </span>
            {!untouched && (
              <>
                <button type="button" class="button" onClick={() => begin(context)}>
                  Discard
                </button>
                <button
                  type="submit"
                  class="button main"
                  disabled={busy || !taken || !mayWrite || operations.length === 0}
                >
                  Save
                </button>
              </>
            )}
          </div>
        </div>
      </div>
    </form>
  );
}

/**
 * The smallest edit that turns the old layer into the new one. Rules are replaced as a whole.
 *
 * @throws {Error} if it would write integers that were rounded before
 */
function edits(base: Held, data: Members, rules: Members): Operation[] {
  const on = { level: base.level, context_id: base.id };
  if (!equal(base.rules, rules)) {
    keepDigits(base.data, "");
    return [{ action: "put", ...on, data: text(data), rules: rules as Rules }];
  }
  const patch = steps(base.data, data);
  for (const { path, value } of patch) if (value !== undefined) keepDigits(at(base.data, path), path);
  return patch.length === 0 ? [] : [{ action: "update", ...on, patch: text(patch) }];
}

function keepDigits(before: Value | undefined, path: string): void {
  if (!isObject(before) && !Array.isArray(before)) return;
  if (!isRounded(before)) return;
  const where = path === "" ? "This layer" : `What stands at ${path}`;
  throw new Error(`${where} holds integers beyond 2^53, which this browser rounds: write it with a newer one.`);
}
