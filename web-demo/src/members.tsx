// Who a project is shared with, and on what terms; each term says what the guest will see.

import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { ask } from "./asking";
import { visible } from "./characters";
import { Choice } from "./choice";
import { Dialog } from "./dialog";
import { Fault, READS_ONLY, When } from "./parts";
import { useReplica } from "./reading";
import { DEFAULT, type Member, NAMES, OPTIONS, Sentences, type Terms, sentence, sentences } from "./terms";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

const pathOf = (user: string) => `/v1/members/${encodeURIComponent(user)}`;

/** The members of a project, and a form for one of them or a new one. */
export function Members({ project, onClose }: { project: string; onClose: () => void }) {
  const { mayWrite } = useReplica();
  const [members, setMembers] = useState<Member[]>();
  const [fault, setFault] = useState<unknown>();
  /** The member whose terms are changed; `null` for a new one. */
  const [edited, setEdited] = useState<Member | null>();
  const [filled, setFilled] = useState(false);
  const [said, setSaid] = useState("");
  const load = () =>
    ask<{ items: Member[] }>("GET", "/v1/members").then(({ items }) => {
      setMembers(items.filter((member) => member.project === project));
      setFault(undefined);
    }, setFault);
  useEffect(() => void load(), [project]);
  const sharing = useRef<HTMLButtonElement>(null);
  /** How often a form or a member went away, and the focus with it. */
  const [gone, setGone] = useState(0);
  useLayoutEffect(() => {
    if (gone > 0) sharing.current?.focus();
  }, [gone]);
  const close = () => {
    setEdited(undefined);
    setFilled(false);
    setGone(gone + 1);
  };
  const begin = (member: Member | null) => {
    setSaid("");
    setEdited(member);
  };
  const done = async (said: string) => {
    await load();
    setSaid(said);
    close();
  };
  const form = (member: Member | null) => (
    <Form
      project={project}
      member={member}
      isMember={(user) => members?.some((one) => one.user === user) ?? false}
      onFilled={setFilled}
      onCancel={close}
      onDone={(user) => done(`Saved: what ${visible(user)} sees is above.`)}
    />
  );
  return (
    <Dialog title={`Members of ${visible(project)}`} wide filled={filled} onClose={onClose}>
      {fault !== undefined && <Fault error={fault} />}
      {fault !== undefined && (
        <div class="row end">
          <button type="button" class="button" onClick={() => load()}>
            Try again
          </button>
        </div>
      )}
      {members?.length === 0 && <p class="quiet">Only you see this project.</p>}
      {members && members.length > 0 && (
        <ul class="members" aria-label="Members">
          {members.map((member) => (
            <li key={member.user} class="boxed">
              {edited?.user === member.user ? (
                form(member)
              ) : (
                <One
                  member={member}
                  mayChange={mayWrite && edited === undefined}
                  onEdit={() => begin(member)}
                  onRemoved={() => done(`${visible(member.user)} no longer sees ${visible(project)}.`)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      <p class={said === "" ? "unseen" : "notice good"} role="status">
        {said}
      </p>
      {!mayWrite && <p class="notice">{READS_ONLY}</p>}
      {mayWrite && members && edited === undefined && (
        <div class="row end">
          <button ref={sharing} type="button" class="button main" onClick={() => begin(null)}>
            Share with someone
          </button>
        </div>
      )}
      {edited === null && <div class="members boxed">{form(null)}</div>}
    </Dialog>
  );
}

/** One member with the terms in words. Removing asks once more. */
function One(props: { member: Member; mayChange: boolean; onEdit: () => void; onRemoved: () => Promise<void> }) {
  const { member, mayChange, onEdit, onRemoved } = props;
  const [asked, setAsked] = useState(false);
  const { submit, busy, fault } = useWriting(async () => {
    await ask("DELETE", `${pathOf(member.user)}?project=${encodeURIComponent(member.project)}`);
    await onRemoved();
  });
  const name = visible(member.user);
  return (
    <>
      <div class="row">
        <h3>
          <UserText text={member.user} />
        </h3>
        <span class="quiet by">
          {OPTIONS.role.options[member.role].label.toLowerCase()} since <When at={member.since} />
        </span>
        {mayChange && (
          <button type="button" class="button" disabled={busy} onClick={onEdit}>
            Change<span class="unseen"> the terms of {name}</span>
          </button>
        )}
        {mayChange && (
          <button
            type="button"
            class="button danger"
            disabled={busy}
            onClick={() => (asked ? submit() : setAsked(true))}
            onBlur={() => setAsked(false)}
          >
            {asked ? "Yes, stop sharing" : "Remove"}
            <span class="unseen"> {asked ? `with ${name}` : name}</span>
          </button>
        )}
      </div>
      <Sentences of={sentences(member, "guest")} />
      {fault !== undefined && <Fault error={fault} />}
    </>
  );
}

function Form(props: {
  project: string;
  member: Member | null;
  isMember: (user: string) => boolean;
  onFilled: (filled: boolean) => void;
  onCancel: () => void;
  onDone: (user: string) => Promise<void>;
}) {
  const { project, member, isMember, onFilled, onCancel, onDone } = props;
  const [user, setUser] = useState(member?.user ?? "");
  const [terms, setTerms] = useState<Terms>(member ?? DEFAULT);
  const begun: Terms = member ?? DEFAULT;
  const isFilled = user !== (member?.user ?? "") || NAMES.some((name) => terms[name] !== begun[name]);
  useEffect(() => onFilled(isFilled), [isFilled]);
  const { submit, busy, fault } = useWriting(async () => {
    const { role, history, reveal, global } = terms;
    await ask("PUT", pathOf(user), { body: { project, role, history, reveal, global } });
    await onDone(user);
  });
  const title = useId();
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);
  const choose = (name: keyof Terms, value: string) =>
    setTerms({ ...terms, [name]: typeof terms[name] === "boolean" ? value === "true" : value });
  return (
    <form ref={form} aria-labelledby={title} onSubmit={submit}>
      <h3 id={title}>
        {member ? (
          <>
            Terms of <UserText text={user} />
          </>
        ) : (
          "Share with someone"
        )}
      </h3>
      {member === null && (
        <label class="field">
          User, as their tokens name them (sub)
          <input
            value={user}
            required
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
      )}
      {member === null && isMember(user) && (
        <p class="notice" role="status">
          <UserText text={user} /> is a member already. Sharing again replaces their terms.
        </p>
      )}
      {NAMES.map((name) => (
        <div key={name} class="term">
          <span class="quiet" aria-hidden="true">
            {OPTIONS[name].label}
          </span>
          <Choice
            label={OPTIONS[name].label}
            name={`term-${name}`}
            chosen={String(terms[name])}
            options={Object.entries(OPTIONS[name].options).map(([value, { label }]) => [value, label] as const)}
            onChoose={(value) => choose(name, value)}
          />
          <p role="status">{sentence(terms, name)}</p>
        </div>
      ))}
      {fault !== undefined && <Fault error={fault} />}
      <div class="row end">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="button main" disabled={busy || user === "" || (member !== null && !isFilled)}>
          {member ? "Save the terms" : "Share"}
        </button>
      </div>
    </form>
  );
}
