// The preview of a write: the views below that would change, and those that override it.

import type { Operation, Preview } from "@nacre/context";
import { useEffect } from "preact/hooks";

import { type Address, name } from "./address";
import { type Value, glances, parse, text } from "./json";
import { Fault, Layer } from "./parts";
import { useRead, useSettled } from "./reading";
import { UserText } from "./user-text";

/** Changes of one view that are shown in full. */
const SPELT = 12;
/** Views with the same changes that are named together. */
const NAMED = 4;

/** Previews operations as they are being typed; `onVerdict` is told whether they would be accepted. */
export function PreviewOf(props: { operations: readonly Operation[]; onVerdict: (taken: boolean) => void }) {
  const operations = useSettled(props.operations, 150);
  const { value, error } = useRead(
    (replica) => {
      const [first] = operations;
      if (!first) return undefined;
      const trial = { operations: [...operations] };
      return parse(replica.previewText(first.level, first.context_id, trial)) as unknown as Told;
    },
    [operations],
  );
  useEffect(
    () => props.onVerdict(value !== undefined && operations === props.operations),
    [value, operations, props.operations],
  );
  if (error !== undefined) return <Fault error={error} />;
  return value ? <Told preview={value} /> : null;
}

/** A preview whose values keep every digit. */
type Told = Omit<Preview, "affected"> & { affected: Affected[] };
type Affected = Address & { changes: { pointer: string; before?: Value; after?: Value }[] };

function Told({ preview: { affected, unchanged, overridden_by } }: { preview: Told }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll what has the focus
    <section class="preview" aria-label="What this changes" tabIndex={0}>
      <h3>
        {affected.length === 0
          ? "No view changes"
          : `${affected.length} ${affected.length === 1 ? "view changes" : "views change"}`}
        {unchanged > 0 &&
          `, ${unchanged} ${unchanged === 1 ? "stays" : "stay"} as ${unchanged === 1 ? "it is" : "they are"}`}
      </h3>
      <ul>
        {alike(affected).map(({ views, changes }) => (
          <li key={views.map(name).join()}>
            <Views views={views} />
            <ul class="changes">
              {changes.slice(0, SPELT).map(({ pointer, before, after }) => (
                <Change key={pointer} pointer={pointer} before={before} after={after} />
              ))}
              {changes.length > SPELT && <li class="quiet">and {changes.length - SPELT} more</li>}
            </ul>
          </li>
        ))}
      </ul>
      {overridden_by.length > 0 && (
        <>
          <h3>Decided for themselves</h3>
          <ul>
            {overridden_by.map(({ level, id, pointer }) => (
              <li key={`${level}/${id}${pointer}`} class={level}>
                <Layer of={{ level, id }} />{" "}
                <code>
                  <UserText text={pointer} />
                </code>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** Groups views that change in the same way: most changes affect many of them. */
function alike(affected: readonly Affected[]): { views: Address[]; changes: Affected["changes"] }[] {
  const groups = new Map<string, { views: Address[]; changes: Affected["changes"] }>();
  for (const { level, id, changes } of affected) {
    const how = text(changes);
    const group = groups.get(how);
    if (group) group.views.push({ level, id });
    else groups.set(how, { views: [{ level, id }], changes });
  }
  return [...groups.values()];
}

function Views({ views }: { views: readonly Address[] }) {
  const rest = views.slice(NAMED);
  return (
    <>
      <div class="views">
        {views.slice(0, NAMED).map((view) => (
          <Layer key={name(view)} of={view} />
        ))}
      </div>
      {rest.length > 0 && (
        <details>
          <summary>and {rest.length} more</summary>
          <ul>
            {rest.map((view) => (
              <li key={name(view)}>
                <Layer of={view} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** One value before and after, each with a sign beside its colour. */
export function Change(props: { pointer: string; before?: Value | undefined; after?: Value | undefined }) {
  const { pointer, before, after } = props;
  const [old, now] = glances(before, after);
  return (
    <li class="change">
      <code class="path">
        <UserText text={pointer === "" ? "the whole document" : pointer} />
      </code>
      {before !== undefined && (
        <del>
          <span class="sign">−</span>
          <UserText text={old} />
        </del>
      )}
      {after !== undefined && (
        <ins>
          <span class="sign">+</span>
          <UserText text={now} />
        </ins>
      )}
    </li>
  );
}
