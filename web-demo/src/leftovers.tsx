// Drafts of a context that is gone: what was typed is still there to be copied, until it is discarded.

import type { Address } from "./address";
import { draftOf, keepDraft, placeOf, useDrafts } from "./drafts";
import { useReplica } from "./reading";
import { LongText, UserText } from "./user-text";

/** The text of a draft: of a layer, a value or a note. */
interface Draft {
  data?: string;
  text?: string;
  content?: string;
}

export function Leftovers({ of }: { of: Address }) {
  const { replica } = useReplica();
  const all = placeOf(replica.user, of, "");
  return (
    <ul class="leftovers">
      {useDrafts(all).map((what) => {
        const { data, text, content } = draftOf<Draft>(all + what) ?? {};
        return (
          <li key={what} class="boxed">
            <div class="row">
              <strong>
                Not saved: <UserText text={what} />
              </strong>
              <button type="button" class="button danger" onClick={() => keepDraft(all + what, undefined)}>
                Discard
              </button>
            </div>
            <pre>
              <LongText text={data ?? text ?? content ?? ""} />
            </pre>
          </li>
        );
      })}
    </ul>
  );
}
