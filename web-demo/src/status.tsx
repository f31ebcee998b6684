// The state of the synchronization: the online switch, unsent and refused writes, and conflicts.

import type { Status } from "@nacre/context";
import { useState } from "preact/hooks";

import type { Address } from "./address";
import { later } from "./later";
import { Switch } from "./parts";
import { useReplica } from "./reading";
import type { OnEdit } from "./refused";
import { UserText } from "./user-text";

const Queue = later(() => import("./queue").then((room) => room.Queue));
const Conflicts = later(() => import("./conflicts").then((room) => room.Conflicts));
const User = later(() => import("./user").then((room) => room.User));

const STATES: Record<Status["state"], string> = {
  online: "Up to date",
  syncing: "Syncing",
  offline: "Offline",
};

export function StatusBar(props: { onGo: (address: Address) => void; onEdit: OnEdit; onLeave: () => void }) {
  const { replica } = useReplica();
  const [open, setOpen] = useState<"queue" | "conflicts" | "user">();
  const { state, online, queued, refused, conflicts, polling, error } = replica.status;
  const close = () => setOpen(undefined);
  return (
    <div class="status">
      <span role="status" class={`state ${state}`}>
        <span class="dot" aria-hidden="true" />
        {online && state === "offline" ? "Unreachable" : STATES[state]}
        {polling && state !== "offline" && ", asking every 5 s"}
      </span>
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
      {open === "user" && <User onClose={close} onLeave={props.onLeave} />}
    </div>
  );
}
