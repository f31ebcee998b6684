// Asks before a link with another user's token takes a signed-in tab over.

import type { Replica } from "@nacre/context";

import type { Offer } from "./token";
import { UserText } from "./user-text";

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
