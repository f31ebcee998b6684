// The state of the synchronization: the online switch, unsent and refused writes, and conflicts.

import type { Status } from "@nacre/context";
import { useState } from "preact/hooks";

import { type Address, name } from "./address";
import { visible } from "./characters";
import { draftCount } from "./drafts";
import { later } from "./later";
import { Dialog, Fault, Switch } from "./parts";
import { useReplica } from "./reading";
import type { OnEdit } from "./refused";
import { TokenForm } from "./sign-in";
import { UserText } from "./user-text";

const Queue = later(() => import("./queue").then((room) => room.Queue));
const Conflicts = later(() => import("./conflicts").then((room) => room.Conflicts));

const STATES: Record<Status["state"], string> = {
  online: "Up to date",
  syncing: "Syncing",
  offline: "Offline",
};

export function StatusBar(props: { onGo: (address: Address) => void; onEdit: OnEdit; onLeave: () => void }) {
  const { replica } = useReplica();
  const [open, setOpen] = useState<"queue" | "conflicts" | "user" | "token">();
  const { state, online, queued, refused, conflicts, polling, error } = replica.status;
  const close = () => setOpen(undefined);
  return (
    <div class="status">
      <span role="status" class={`state ${state}`}>
        <span class="dot" aria-hidden="true" />
        {online && state === "offline" ? "Unreachable" : STATES[state]}
        {polling && state !== "offline" && ", asking every 5 s"}
      </span>
      {error?.code === "unauthenticated" && (
        <button type="button" class="button matter urgent" onClick={() => setOpen("token")}>
          Sign in again
        </button>
      )}
      <Switch label="Online" on={online} onChange={(on) => (replica.online = on)} />
      <button type="button" class="button matter" onClick={() => setOpen("queue")}>
        Queue<span class="count">{queued}</span>
      </button>
      {refused > 0 && (
        <button type="button" class="button matter urgent" onClick={() => setOpen("queue")}>
          Refused<span class="count">{refused}</span>
        </button>
      )}
      <button
        type="button"
        class={`button matter ${conflicts > 0 ? "urgent" : ""}`}
        onClick={() => setOpen("conflicts")}
      >
        Conflicts<span class="count">{conflicts}</span>
      </button>
      <button type="button" class="button user" onClick={() => setOpen("user")}>
        <UserText text={replica.user} />
      </button>
      {open === "queue" && <Queue error={error} onClose={close} onGo={props.onGo} onEdit={props.onEdit} />}
      {open === "conflicts" && <Conflicts onClose={close} />}
      {open === "token" && <Renew onClose={close} />}
      {open === "user" && <User onClose={close} onLeave={props.onLeave} />}
    </div>
  );
}

/** Asks for a new token of the same user; unsaved work stays. */
function Renew({ onClose }: { onClose: () => void }) {
  const { replica } = useReplica();
  const renew = () => {
    replica.online = false;
    replica.online = true; // starts immediately, and asks for the token
    onClose();
  };
  return (
    <Dialog title="Sign in again" onClose={onClose}>
      <p class="quiet">
        The server no longer takes the token of <UserText text={replica.user} />. What you write meanwhile is kept here.
      </p>
      <TokenForm whom={replica.user} onToken={renew} />
    </Dialog>
  );
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function User({ onClose, onLeave }: { onClose: () => void; onLeave: () => void }) {
  const { replica } = useReplica();
  const [sure, setSure] = useState<"leave" | "erase">();
  const [fault, setFault] = useState<unknown>();
  const { queued, refused, seq, leader } = replica.status;
  const drafts = draftCount();
  const lost = [
    ...(queued > 0 ? [counted(queued, "unsent write")] : []),
    ...(refused > 0 ? [counted(refused, "refused write")] : []),
    ...(drafts > 0 ? [counted(drafts, "draft")] : []),
  ];
  const erase = async () => {
    try {
      await replica.erase();
      onLeave();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title={visible(replica.user)} onClose={onClose}>
      <p class="quiet">
        This device holds the store as of commit {seq}. {leader ? "This tab talks" : "Another tab talks"} to the server
        {replica.under ? ` for what is under ${name(replica.under)}` : ""}.
      </p>
      {fault !== undefined && <Fault error={fault} />}
      <div class="row end">
        <button
          type="button"
          class="button danger"
          onClick={() => (sure === "erase" ? void erase() : setSure("erase"))}
        >
          {sure !== "erase"
            ? "Remove from this device"
            : lost.length > 0
              ? `Remove, and lose ${lost.join(" and ")}`
              : "Remove: yes, really"}
        </button>
        <button
          type="button"
          class="button main"
          onClick={() => (sure === "leave" || drafts === 0 ? onLeave() : setSure("leave"))}
        >
          {sure === "leave" ? `Sign out, and lose ${counted(drafts, "draft")}` : "Sign out"}
        </button>
      </div>
    </Dialog>
  );
}
