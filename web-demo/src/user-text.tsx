// Text that users wrote: isolated from the text around it, hidden characters shown as escapes, and
// only the beginning of what is long.

import { Fragment } from "preact";
import { useState } from "preact/hooks";

import { escapeOf, pieces } from "./characters";

const LAYOUT = (character: string) => character === "\n" || character === "\t";

/** Text of any user. `broken` keeps its line breaks and tabs; elsewhere they are escapes too. */
export function UserText({ text, broken = false }: { text: string; broken?: boolean }) {
  const parts = broken ? pieces(text, LAYOUT) : pieces(text);
  return (
    <bdi>
      {parts.map((part, at) => (
        <Fragment key={at}>{at % 2 === 0 ? part : <span class="control">{escapeOf(part)}</span>}</Fragment>
      ))}
    </bdi>
  );
}

/** The beginning that is shown of long text. */
const MOST = { characters: 2000, lines: 20 };
/** All of a text is shown at once up to so much more, for "show all" would hardly show more. */
const SLACK = 1.2;

/** Text with line breaks. Of long text the beginning shows, and all of it, on request, in a box. */
export function LongText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const start = beginning(text);
  if (start.length === text.length) return <UserText text={text} broken />;
  const count = `${text.length.toLocaleString("en")} characters`;
  return (
    <>
      {all ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll what has the focus
        <span class="whole" role="group" aria-label={`All ${count}`} tabIndex={0}>
          <UserText text={text} broken />
        </span>
      ) : (
        <>
          <UserText text={start} broken />…
        </>
      )}
      <button
        type="button"
        class="link"
        onClick={(event) => {
          event.stopPropagation(); // the row under it is not chosen
          setAll(!all);
        }}
      >
        {all ? "Show the beginning" : `Show all ${count}`}
      </button>
    </>
  );
}

function beginning(text: string): string {
  let end = -1;
  for (let line = 0; line < MOST.lines; line++) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) break;
  }
  const lines = end < 0 ? text.length : end;
  if (text.length <= MOST.characters * SLACK && lines === text.length) return text;
  const cut = Math.min(lines, MOST.characters);
  // Never in the middle of a pair.
  return text.slice(0, /[\uD800-\uDBFF]/.test(text[cut - 1] ?? "") ? cut - 1 : cut);
}
