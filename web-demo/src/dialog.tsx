// Dialogs. No first view has one, so they load with the rooms that do.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { keepDraft } from "./drafts";
import { Glyph } from "./parts";

/**
 * A modal dialog. It is the platform's own, which traps the focus and closes on Escape. One that is
 * `filled` asks before it discards what was put in.
 */
export function Dialog(props: {
  title: string;
  wide?: boolean;
  filled?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const { filled = false } = props;
  const [asking, setAsking] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  /** Whether the pointer was pressed outside the sheet: selecting text past its edge must not close it. */
  const beside = useRef(false);
  useEffect(() => {
    const opener = document.activeElement;
    const own = dialog.current;
    own?.showModal();
    return () => {
      const at = document.activeElement;
      const elsewhere = at !== document.body && !own?.contains(at); // where the dialog has led
      if (!elsewhere && opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  useEffect(() => {
    if (!filled) return;
    const place = `dialog ${title}`;
    keepDraft(place, true); // the browser, too, asks before the page closes
    return () => keepDraft(place, undefined);
  }, [filled, title]);
  const leave = (event?: Event) => {
    if (!filled) return event ? undefined : dialog.current?.close();
    event?.preventDefault();
    setAsking(true);
  };
  return (
    <dialog
      ref={dialog}
      class={props.wide ? "wide" : ""}
      aria-labelledby={title}
      onClose={props.onClose}
      // A browser lets a page refuse one `cancel`, but not the next; it never sends one for a key that was taken.
      onKeyDown={(event) => event.key === "Escape" && !asking && leave(event)}
      onCancel={(event) => event.target === dialog.current && leave(event)}
      onPointerDown={(event) => (beside.current = event.target === dialog.current)}
      onClick={(event) => beside.current && event.target === dialog.current && leave()}
    >
      <div class="sheet">
        <div class="sheet-head">
          <h2 id={title}>{props.title}</h2>
          <button type="button" class="icon" aria-label="Close" onClick={() => leave()}>
            <Glyph name="close" />
          </button>
        </div>
        {props.children}
      </div>
      {asking && (
        <Discard title="Discard what you have put in here?" onKeep={() => setAsking(false)} onDiscard={props.onClose} />
      )}
    </dialog>
  );
}

/** Asks whether something may be lost. */
export function Discard(props: { title: string; onKeep: () => void; onDiscard: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={title} onClose={props.onKeep}>
      <div class="sheet">
        <h2 id={title}>{props.title}</h2>
        <div class="row end">
          <button type="button" class="button main" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
          <button type="button" class="button danger" onClick={props.onDiscard}>
            Discard
          </button>
        </div>
      </div>
    </dialog>
  );
}
