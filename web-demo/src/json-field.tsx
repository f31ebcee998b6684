// A field for JSON text, with line numbers and the place of the first mistake.

import type { RefObject } from "preact";
import { useId, useMemo, useRef } from "preact/hooks";

import type { Mistake } from "./json";

/** Text with line numbers. The first mistake is described, and marked in its line. */
export function JsonField(props: {
  label: string;
  text: string;
  wrong: Mistake | undefined;
  /** Is given the field. */
  field?: RefObject<HTMLTextAreaElement | null>;
  readOnly?: boolean;
  onText: (text: string) => void;
  /** Is told when an input method begins and ends a word. */
  onComposing?: (composing: boolean) => void;
}) {
  const { label, text, wrong, field, readOnly = false, onText, onComposing } = props;
  const lines = text.split("\n").length;
  const numbers = useMemo(() => Array.from({ length: lines }, (_, index) => index + 1).join("\n"), [lines]);
  const gutter = useRef<HTMLPreElement>(null);
  const id = useId();
  return (
    <div class="json">
      <label for={id}>{label}</label>
      {wrong && (
        <p id={`${id}-wrong`} class="fault" role="alert">
          Line {wrong.line}, column {wrong.column}: {wrong.message}
        </p>
      )}
      <div class="code">
        <pre ref={gutter} class="gutter" aria-hidden="true">
          {numbers}
          {wrong && (
            <span class="wrong" style={{ "--line": wrong.line - 1 }}>
              {wrong.line}
            </span>
          )}
        </pre>
        <textarea
          {...(field ? { ref: field } : {})}
          id={id}
          value={text}
          rows={Math.min(28, Math.max(3, lines + 1))}
          readOnly={readOnly}
          wrap="off"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          aria-invalid={wrong !== undefined}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onInput={(event) => onText(event.currentTarget.value)}
          onCompositionStart={() => onComposing?.(true)}
          onCompositionEnd={() => onComposing?.(false)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
    </div>
  );
}
