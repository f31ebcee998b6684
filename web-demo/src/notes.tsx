// Notes about a context: insights and progress, two lists that only grow.

import type { Insight, ProgressNote } from "@nacre/context";
import { Fragment } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { type Address, key } from "./address";
import { Choice } from "./choice";
import { draftOf, keepDraft, placeOf, useFocusWhenFilled } from "./drafts";
import { Fault, READS_ONLY, When } from "./parts";
import { useRead, useReplica } from "./reading";
import { discardRefused } from "./refusals";
import { LongText, UserText } from "./user-text";
import { useWriting } from "./writing";

type Kind = "insight" | "progress";

/** Notes shown at first, and with each "more". */
const PAGE = 50;

export function Notes({ of: { level, id } }: { of: Address }) {
  const { replica } = useReplica();
  // The list with the draft, if there is one only there.
  const [kind, setKind] = useState<Kind>(() => {
    const drafted = (kind: Kind) => draftOf(placeOf(replica.user, { level, id }, `note ${kind}`)) !== undefined;
    return drafted("progress") && !drafted("insight") ? "progress" : "insight";
  });
  const [most, setMost] = useState(PAGE);
  const opened = useReplica(); // new after any change: a note does not change the context itself
  const { mayWrite } = opened;
  const notes = useRead(
    (replica): { items: (Insight | ProgressNote)[]; more: boolean } => {
      const items: (Insight | ProgressNote)[] = [];
      let cursor: string | null = null;
      do {
        const options: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
        const page: { items: (Insight | ProgressNote)[]; next_cursor: string | null } =
          kind === "insight" ? replica.insights(level, id, options) : replica.progress(level, id, options);
        items.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null && items.length < most);
      return { items, more: cursor !== null };
    },
    [opened, level, id, kind, most],
  );
  return (
    <div class="notes">
      <Choice
        label="Which notes"
        name="notes"
        chosen={kind}
        options={[
          ["insight", "Insights"],
          ["progress", "Progress"],
        ]}
        onChoose={(next) => {
          setKind(next);
          setMost(PAGE);
        }}
      />
      {mayWrite ? (
        <Add key={`${key({ level, id })} ${kind}`} of={{ level, id }} kind={kind} />
      ) : (
        <p class="quiet">{READS_ONLY}</p>
      )}
      {notes.error !== undefined && <Fault error={notes.error} />}
      {notes.value?.items.length === 0 && (
        <p class="nothing">{kind === "insight" ? "Nothing was noted as learned yet." : "No progress was noted yet."}</p>
      )}
      <ol class="boxed" aria-label={kind === "insight" ? "Insights, newest first" : "Progress, newest first"}>
        {notes.value?.items.map((note) => (
          <li key={note.id}>
            <p>
              <LongText text={note.content} />
            </p>
            <p class="quiet">
              {about(note).map((said) => (
                <Fragment key={said}>
                  <UserText text={said} />
                  {" · "}
                </Fragment>
              ))}
              by <UserText text={note.by} />, <When at={note.at} />
            </p>
          </li>
        ))}
      </ol>
      {notes.value?.more && (
        <button type="button" class="button" onClick={() => setMost(most + PAGE)}>
          Show more
        </button>
      )}
    </div>
  );
}

function about(note: Insight | ProgressNote): string[] {
  const said = note.agent === null ? [] : [note.agent];
  if (!("category" in note)) return said;
  const importance = note.importance === null ? [] : [`importance ${note.importance}`];
  return [...(note.category === null ? [] : [note.category]), ...importance, ...said];
}

/** A note that was not added yet. */
interface Draft {
  content: string;
  category: string;
  importance: string;
  /** The refused write that it takes the place of. */
  instead?: string | undefined;
}

function Add({ of: { level, id }, kind }: { of: Address; kind: Kind }) {
  const { replica } = useReplica();
  const place = placeOf(replica.user, { level, id }, `note ${kind}`);
  const [kept] = useState(() => draftOf<Draft>(place));
  const [content, setContent] = useState(kept?.content ?? "");
  const [category, setCategory] = useState(kept?.category ?? "");
  const [importance, setImportance] = useState(kept?.importance ?? "");
  const [instead, setInstead] = useState(kept?.instead);
  const field = useRef<HTMLTextAreaElement>(null);
  useFocusWhenFilled(field, instead !== undefined);
  useLayoutEffect(() => {
    const draft: Draft = { content, category, importance, instead };
    keepDraft(place, `${content}${category}${importance}` === "" ? undefined : draft);
  }, [place, content, category, importance, instead]);
  const { submit, busy, fault } = useWriting(async () => {
    if (kind === "progress") await replica.addProgress(level, id, { content });
    else {
      await replica.addInsight(level, id, {
        content,
        ...(category.trim() === "" ? {} : { category: category.trim() }),
        ...(importance === "" ? {} : { importance: Number(importance) }),
      });
    }
    if (instead !== undefined) await discardRefused(replica, instead);
    setInstead(undefined);
    setContent("");
    setCategory("");
    setImportance("");
  });
  return (
    <form onSubmit={submit}>
      <label class="field">
        {kind === "insight" ? "What was learned" : "How far it is"}
        <textarea
          ref={field}
          rows={3}
          required
          value={content}
          onInput={(event) => setContent(event.currentTarget.value)}
        />
      </label>
      {kind === "insight" && (
        <div class="pair">
          <label class="field">
            Category, if any
            <input value={category} maxLength={200} onInput={(event) => setCategory(event.currentTarget.value)} />
          </label>
          <label class="field">
            Importance, 0 to 1, if any
            <input
              type="number"
              min={0}
              max={1}
              step="any"
              value={importance}
              onInput={(event) => setImportance(event.currentTarget.value)}
            />
          </label>
        </div>
      )}
      {fault !== undefined && <Fault error={fault} />}
      <div class="row end">
        <button type="submit" class="button main" disabled={busy || content.trim() === ""}>
          Add
        </button>
      </div>
    </form>
  );
}
