// Accepts files dropped anywhere on the page.

import { useEffect, useState } from "preact/hooks";

/** `refused`: why no file is taken. One that is dropped all the same must not replace the page. */
export function DropZone(props: { onDrop: (files: readonly File[]) => void; refused: string | undefined }) {
  const { onDrop, refused } = props;
  const [over, setOver] = useState(false);
  useEffect(() => {
    const holdsFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0 && refused === undefined) onDrop(files);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [onDrop, refused]);
  return over ? <div class="drop-zone">{refused ?? "Drop files to import their contexts"}</div> : null;
}
