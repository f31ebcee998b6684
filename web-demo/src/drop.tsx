// Takes files that are dropped anywhere on the page, to import them.

import { useEffect, useState } from "preact/hooks";

import { later } from "./later";

export const Import = later(() => import("./import").then((room) => room.Import));

export function DropZone() {
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<File>();
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
      setFile(event.dataTransfer?.files[0]);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <>
      {over && <div class="drop-zone">Drop the file to import its contexts</div>}
      {file && <Import key={file.name + file.lastModified} dropped={file} onClose={() => setFile(undefined)} />}
    </>
  );
}
