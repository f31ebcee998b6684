// Who one is: a new token when the old one is no longer taken, and leaving this device.

import { useState } from "preact/hooks";

import { name } from "./address";
import { visible } from "./characters";
import { draftCount } from "./drafts";
import { Dialog, Fault } from "./parts";
import { useReplica } from "./reading";
import { TokenForm } from "./sign-in";
import { UserText } from "./user-text";

/** Asks for a new token of the same user; unsaved work stays. */
export function Renew({ onClose }: { onClose: () => void }) {
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

export function User({ onClose, onLeave }: { onClose: () => void; onLeave: () => void }) {
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
