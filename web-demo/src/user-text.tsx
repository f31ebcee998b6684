// Text that users wrote: isolated from the text around it, hidden characters shown as escapes.

import { Fragment } from "preact";

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

/** Text of any user with its line breaks, that may be long. */
export const LongText = ({ text }: { text: string }) => <UserText text={text} broken />;
