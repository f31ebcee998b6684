// History: a slider over every commit that could have changed the view, the changes of each one,
// and rollback.

import type { HistoryItem, LayerVersion, Origin, Replica } from "@nacre/context";
import { useId, useState } from "preact/hooks";

import { type Address, key, name, same } from "./address";
import { visible } from "./characters";
import { Choice } from "./choice";
import { Dialog } from "./dialog";
import { Document } from "./document";
import { type Members, type Value, at, steps } from "./json";
import { Fault, Layer, When } from "./parts";
import { Change } from "./preview";
import { attempt, layerOf, show, useRead, useReplica } from "./reading";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

/** A commit that changed one layer of the chain. */
interface Moment extends HistoryItem {
  of: Address;
}

/** Commits listed at first, and with each "more". */
const PAGE = 100;

type Scope = "view" | "layer";
type Against = "before" | "now";

export function History({ context, chain }: { context: Address; chain: readonly LayerVersion[] }) {
  const [scope, setScope] = useState<Scope>("view");
  const [against, setAgainst] = useState<Against>("before");
  const [chosen, setChosen] = useState<string>();
  const [most, setMost] = useState(PAGE);
  const layers = scope === "view" ? chain : chain.filter((link) => same(link, context));
  const histories = useRead((replica) => momentsOf(replica, layers), [scope, key(context)]);
  const moments = histories.value ?? [];
  const found = moments.findIndex((moment) => nameOf(moment) === chosen);
  const index = found < 0 ? moments.length - 1 : found;
  const moment = moments[index];
  const id = useId();

  if (histories.error !== undefined) return <Fault error={histories.error} />;
  if (!moment) return <p class="nothing">Nothing is kept of the past yet.</p>;
  const choose = (to: number) => {
    const next = moments[to];
    if (next) setChosen(nameOf(next));
  };
  return (
    <div class="history">
      <div class="row choices">
        <Choice
          label="What to look at"
          name="scope"
          chosen={scope}
          options={[
            ["view", "The view"],
            ["layer", "This layer"],
          ]}
          onChoose={(next) => {
            setScope(next);
            setChosen(undefined);
          }}
        />
        <Choice
          label="What to compare with"
          name="against"
          chosen={against}
          options={[
            ["before", "What it changed"],
            ["now", "Difference from now"],
          ]}
          onChoose={setAgainst}
        />
      </div>
      <div class="slider">
        <label for={id}>
          Commit {index + 1} of {moments.length}
        </label>
        <input
          id={id}
          type="range"
          min={0}
          max={moments.length - 1}
          step={1}
          value={index}
          aria-valuetext={`${name(moment.of)}, version ${moment.version}, ${moment.change} by ${visible(moment.by)}`}
          onInput={(event) => choose(Number(event.currentTarget.value))}
        />
        <div class="ticks" aria-hidden="true">
          {moments.map((one, place) => (
            <span key={nameOf(one)} class={`${one.of.level} ${place === index ? "here" : ""}`} />
          ))}
        </div>
      </div>
      <Then {...{ context, moment, scope, against }} previous={moments[index - 1]} />
      <h3>All commits, newest first</h3>
      <ol class="moments">
        {[...moments]
          .reverse()
          .slice(0, most)
          .map((one) => (
            <li key={nameOf(one)}>
              <button
                type="button"
                aria-current={one === moment ? "step" : undefined}
                onClick={() => setChosen(nameOf(one))}
              >
                <Layer of={one.of} version={one.version} />
                <span>
                  <UserText text={one.summary || one.change} />
                </span>
                <span class="quiet">
                  <UserText text={one.by} />, <When at={one.at} />
                </span>
              </button>
            </li>
          ))}
      </ol>
      {moments.length > most && (
        <button type="button" class="button" onClick={() => setMost(most + PAGE)}>
          Show more: {moments.length - most} of {moments.length} commits are left
        </button>
      )}
    </div>
  );
}

const nameOf = (moment: Moment): string => `${key(moment.of)}@${moment.version}`;

/** Every commit to the layers, oldest first. */
function momentsOf(replica: Replica, layers: readonly Address[]): Moment[] {
  const all = layers.flatMap(({ level, id }) => {
    const moments: Moment[] = [];
    let cursor: string | null = null;
    do {
      const page = replica.history(level, id, { limit: 200, ...(cursor === null ? {} : { cursor }) });
      moments.push(...page.items.map((item): Moment => ({ ...item, of: { level, id } })));
      cursor = page.next_cursor;
    } while (cursor !== null);
    return moments;
  });
  return all.sort((a, b) => a.seq - b.seq || a.version - b.version);
}

interface State {
  data: Members;
  origins: Readonly<Record<string, Origin>>;
}

const NOTHING: State = { data: {}, origins: {} };

/** The view after a commit, or now; nothing if the context did not exist yet. */
function stateOf(replica: Replica, context: Address, scope: Scope, moment?: Moment): State {
  if (scope === "view") return attempt(() => show(replica, context, moment?.seq)).value ?? NOTHING;
  const past = moment ? { version: moment.version } : {};
  return { ...NOTHING, data: attempt(() => layerOf(replica, context, past).data).value ?? {} };
}

function changesOf(from: Members, to: Members): { pointer: string; before?: Value; after?: Value }[] {
  return steps(from, to).map(({ path }) => {
    const before = at(from, path);
    const after = at(to, path);
    return {
      pointer: path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    };
  });
}

/** The state after one commit. */
function Then(props: {
  context: Address;
  moment: Moment;
  previous: Moment | undefined;
  scope: Scope;
  against: Against;
}) {
  const { context, moment, previous, scope, against } = props;
  const states = useRead(
    (replica) => {
      const then = stateOf(replica, context, scope, moment);
      if (against === "now") return { from: then, to: stateOf(replica, context, scope), then };
      const before = scope === "view" ? { ...moment, seq: moment.seq - 1 } : previous;
      return { from: before ? stateOf(replica, context, scope, before) : NOTHING, to: then, then };
    },
    [nameOf(moment), previous && nameOf(previous), scope, against, key(context)],
  );
  const changes = states.value && changesOf(states.value.from.data, states.value.to.data);

  return (
    <section class="then" aria-live="polite">
      <p class="row">
        <Layer of={moment.of} version={moment.version} />
        <strong>{moment.change}</strong>
        <span>
          by <UserText text={moment.by} />
        </span>
        <span class="quiet">
          <When at={moment.at} />
        </span>
        <Return of={moment} />
      </p>
      {moment.summary && (
        <p>
          <UserText text={moment.summary} />
        </p>
      )}
      {states.error !== undefined && <Fault error={states.error} />}
      {changes && changes.length === 0 && (
        <p class="quiet">
          {against === "now"
            ? "It is now as it was then."
            : scope === "view" && !same(moment.of, context)
              ? "Nothing changed in what is seen here: a layer below had decided otherwise."
              : "No value changed."}
        </p>
      )}
      {changes && changes.length > 0 && (
        <ul class="changes boxed" aria-label={against === "now" ? "Difference from now" : "What it changed"}>
          {changes.slice(0, 200).map((change) => (
            <Change key={change.pointer} {...change} />
          ))}
          {changes.length > 200 && <li class="quiet">and {changes.length - 200} more</li>}
        </ul>
      )}
      <details>
        <summary>{scope === "view" ? "The whole view" : "The whole layer"} then</summary>
        {states.value && (
          <Document
            of={nameOf(moment)}
            data={states.value.then.data}
            origins={states.value.then.origins}
            chosen={undefined}
            onChoose={() => {}}
          />
        )}
      </details>
    </section>
  );
}

/** Rolls a layer back. This makes a new version, so nothing is lost. */
function Return({ of: { of, version } }: { of: Moment }) {
  const { replica, mayWrite } = useReplica();
  const [asking, setAsking] = useState(false);
  const now = useRead((replica) => replica.get(of.level, of.id), [key(of)]);
  const { submit, busy, fault } = useWriting(async () => {
    await replica.rollback(of.level, of.id, version, { summary: `back to version ${version}` });
    setAsking(false);
  });
  if (!mayWrite || !now.value || now.value.version === version) return null;
  return (
    <>
      <button type="button" class="button" onClick={() => setAsking(true)}>
        Bring version {version} back
      </button>
      {asking && (
        <Dialog title={`Bring back version ${version} of ${name(of)}?`} onClose={() => setAsking(false)}>
          <form onSubmit={submit}>
            <p>A new version is made with the old content. What came between stays in the history.</p>
            {fault !== undefined && <Fault error={fault} />}
            <div class="row end">
              <button type="submit" class="button main" disabled={busy}>
                Bring it back
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
