// Who one is: a new token when the old one is no longer taken, and leaving this device.

import type { Replica } from "@nacre/context";
import { useEffect, useState } from "preact/hooks";

import { name } from "./address";
import { visible } from "./characters";
import { Dialog } from "./dialog";
import { draftCount } from "./drafts";
import { Fault } from "./parts";
import { later } from "./later";
import { useReplica } from "./reading";
import { TokenForm } from "./sign-in";
import { type Offer, signOut } from "./token";
import { UserText } from "./user-text";

export { SignIn } from "./sign-in";

const Shared = later(() => import("./shared").then((room) => room.Shared));

/** In place of the contexts when the server refuses the token: asks for a new one of the same user. */
export function Renew({ replica, onLeave }: { replica: Replica; onLeave: () => void }) {
  const { error } = replica.status;
  useEffect(() => {
    if (error) signOut(); // so that a reload shows nothing either
  }, [error]);
  const renew = () => {
    replica.online = false;
    replica.online = true; // starts immediately, and asks for the token
  };
  return (
    <main class="alone">
      <h1>Sign in again</h1>
      <p class="quiet">
        The server no longer takes the token of <UserText text={replica.user} />. Until it takes another one, nothing is
        shown. Unsaved work stays here.
      </p>
      <TokenForm whom={replica.user} onToken={renew} />
      <SignOut replica={replica} onLeave={onLeave} />
    </main>
  );
}

const counted = (count: number, what: string): string[] =>
  count > 0 ? [`${count} ${what}${count === 1 ? "" : "s"}`] : [];

export function User({ onClose, onLeave }: { onClose: () => void; onLeave: () => void }) {
  const { replica } = useReplica();
  const { seq, leader } = replica.status;
  const [shared, setShared] = useState(false);
  if (shared) return <Shared onClose={onClose} />;
  return (
    <Dialog title={visible(replica.user)} onClose={onClose}>
      <p class="quiet">
        This device holds the store as of commit {seq}. {leader ? "This tab talks" : "Another tab talks"} to the server
        {replica.under ? ` for what is under ${name(replica.under)}` : ""}.
      </p>
      <div class="row">
        <button type="button" class="button" onClick={() => setShared(true)}>
          Shared with you
        </button>
      </div>
      <SignOut replica={replica} onLeave={onLeave} />
    </Dialog>
  );
}

/** Signs out, and erases the copy on this device unless it is to be kept. What is lost is asked about. */
function SignOut({ replica, onLeave }: { replica: Replica; onLeave: () => void }) {
  const [keep, setKeep] = useState(false);
  const [asked, setAsked] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const { queued, refused } = replica.status;
  const lost = [
    ...(keep ? [] : [...counted(queued, "unsent write"), ...counted(refused, "refused write")]),
    ...counted(draftCount(), "draft"),
  ].join(" and ");
  const leave = () => {
    if (lost && !asked) return setAsked(true);
    (keep ? replica.close() : replica.erase()).then(onLeave, setFault);
  };
  return (
    <>
      {fault !== undefined && <Fault error={fault} />}
      <div class="row end">
        <label>
          <input
            type="checkbox"
            checked={keep}
            onChange={(event) => {
              setKeep(event.currentTarget.checked);
              setAsked(false);
            }}
          />{" "}
          Keep the copy on this device
        </label>
        <button type="button" class={`button ${asked ? "danger" : ""}`} onClick={leave}>
          {asked ? `Sign out, and lose ${lost}` : "Sign out"}
        </button>
      </div>
    </>
  );
}

/** Asks before a link with another user's token takes a signed-in tab over. */
export function Takeover(
  props: Offer & { replica: Replica | undefined; failed: boolean; onStay: () => void; onTake: () => void },
) {
  const [whose, instead] = [<UserText text={props.whose} />, <UserText text={props.instead} />];
  const { queued = 0, refused = 0 } = props.replica?.status ?? {};
  return (
    <main class="alone">
      <h1>Sign in as {whose}?</h1>
      <p>
        This link is for {whose}, and {instead} is signed in here. Going on signs {instead} out, and removes the copy on
        this device{queued + refused > 0 && `, with ${queued + refused} writes that the server does not have`}.
      </p>
      <div class="row">
        <button type="button" class="button main" onClick={props.onStay}>
          Stay signed in
        </button>
        <button type="button" class="button danger" disabled={!props.replica && !props.failed} onClick={props.onTake}>
          Sign in as {whose}
        </button>
      </div>
    </main>
  );
}
