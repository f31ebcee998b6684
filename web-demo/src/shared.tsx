// What others share with the user of this page: which projects, on what terms, and what is in them.

import type { ContextSummary, View } from "@nacre/context";
import { useEffect, useState } from "preact/hooks";

import { type Address, key, name } from "./address";
import { ask } from "./asking";
import { visible } from "./characters";
import { Dialog } from "./dialog";
import { type Members, print } from "./json";
import { Fault, Layer, READS_ONLY, When } from "./parts";
import { useReplica } from "./reading";
import { type Member, OPTIONS, Sentences, lacking, sentences } from "./terms";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

/** Most contexts of a project that are listed. */
const LISTED = 200;

export function Shared({ onClose }: { onClose: () => void }) {
  const { mayWrite } = useReplica();
  const [owner, setOwner] = useState("");
  const [found, setFound] = useState<{ owner: string; members: Member[] }>();
  const { submit, busy, fault } = useWriting(async () => {
    setFound(undefined);
    const { items } = await ask<{ items: Member[] }>("GET", "/v1/members", { owner });
    setFound({ owner, members: items });
  });
  return (
    <Dialog title="Shared with you" wide onClose={onClose}>
      <form onSubmit={submit}>
        <label class="field">
          Who shares with you
          <input
            value={owner}
            required
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setOwner(event.currentTarget.value)}
          />
        </label>
        <div class="row end">
          <button type="submit" class="button main" disabled={busy || owner === ""}>
            Look
          </button>
        </div>
      </form>
      {fault !== undefined && (fault as { code?: string }).code !== "not-found" && <Fault error={fault} />}
      <div class="members" role="status">
        {fault !== undefined && (fault as { code?: string }).code === "not-found" && (
          <p class="quiet">
            <UserText text={owner} /> shares nothing with you, or there is no such user.
          </p>
        )}
        {found?.members.map((member) => (
          <section key={member.project} class="boxed" aria-label={`Project ${visible(member.project)}`}>
            <div class="row">
              <Layer of={{ level: "project", id: member.project }} />
              <span class="quiet by">
                shared by <UserText text={found.owner} /> with you as{" "}
                {OPTIONS.role.options[member.role].label.toLowerCase()}, <When at={member.since} />
              </span>
            </div>
            <Sentences of={sentences(member, "you")} />
            <p>You cannot:</p>
            <Sentences of={lacking(member)} />
            {member.role === "writer" && !mayWrite && <p class="notice">{READS_ONLY}</p>}
            <Contents owner={found.owner} project={member.project} />
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/** The contexts of a project, and the view of the one that is chosen. */
function Contents({ owner, project }: { owner: string; project: string }) {
  const [items, setItems] = useState<ContextSummary[]>();
  const [chosen, choose] = useState<Address>();
  const { submit, busy, fault } = useWriting(async () => {
    const under = encodeURIComponent(`project/${project}`);
    const page = await ask<{ items: ContextSummary[] }>("GET", `/v1/contexts?under=${under}&limit=${LISTED}`, {
      owner,
    });
    setItems(page.items);
  });
  if (!items) {
    return (
      <>
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="button" class="button" disabled={busy} onClick={() => submit()}>
            Show what is in it
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <ul class="queue" aria-label={`What is in ${visible(project)}`}>
        {items.map((item) => (
          <li key={key(item)}>
            <button type="button" aria-pressed={chosen && key(chosen) === key(item)} onClick={() => choose(item)}>
              <Layer of={item} version={item.version} />
            </button>
          </li>
        ))}
      </ul>
      {chosen && <ViewOf key={key(chosen)} owner={owner} of={chosen} />}
    </>
  );
}

/** The resolved view of another user's context. */
function ViewOf({ owner, of }: { owner: string; of: Address }) {
  const [view, setView] = useState<View>();
  const [fault, setFault] = useState<unknown>();
  useEffect(() => {
    const path = `/v1/contexts/${of.level}/${encodeURIComponent(of.id)}/resolved`;
    ask<View>("GET", path, { owner }).then(setView, setFault);
  }, []);
  if (fault !== undefined) return <Fault error={fault} />;
  if (!view) return null;
  return (
    <textarea
      class="mono"
      rows={12}
      readOnly
      aria-label={`View of ${visible(name(of))}`}
      value={print(view.data as Members)}
    />
  );
}
