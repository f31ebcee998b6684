// Takes files that are dropped anywhere on the page, to import them.

import { useEffect, useState } from "preact/hooks";

import { later } from "./later";

export const Import = later(() => import("./import").then((room) => room.Import));

export function DropZone() {
  const [over, setOver] = useState(false);
  const [drop, setDrop] = useState<{ file: File; count: number }>();
  useEffect(() => {
    const holdsFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const dropped = (event: DragEvent) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      // Counted: the same file once more, corrected perhaps, is read anew.
      if (file) setDrop((last) => ({ file, count: (last?.count ?? 0) + 1 }));
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", dropped);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", dropped);
    };
  }, []);
  return (
    <>
      {over && <div class="drop-zone">Drop the file to import its contexts</div>}
      {drop && <Import key={drop.count} dropped={drop.file} onClose={() => setDrop(undefined)} />}
    </>
  );
}
