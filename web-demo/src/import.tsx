// Imports files of contexts: NDJSON, a JSON array, or one object.

import { useState } from "preact/hooks";

import { Dialog, Fault } from "./parts";
import { useReplica } from "./reading";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

export function Import({ onClose, dropped }: { onClose: () => void; dropped: readonly File[] }) {
  const { replica } = useReplica();
  const [replace, setReplace] = useState(false);
  const [files, setFiles] = useState(dropped);
  const [said, setSaid] = useState("");
  const { submit, busy, fault, forget } = useWriting(async () => {
    const counts = { created: 0, replaced: 0 };
    setSaid("");
    for (const [at, file] of files.entries()) {
      const { created, replaced } = await replica.import(await file.text(), {
        mode: replace ? "replace" : "create",
      });
      counts.created += created;
      counts.replaced += replaced;
      setSaid(`${counts.created} made, ${counts.replaced} replaced.`);
      setFiles(files.slice(at + 1));
    }
  });
  return (
    <Dialog title="Import contexts" onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">
          One context a line, or an array of them: <code>{'{"level", "id", "parent", "data", "rules"}'}</code>. Lines of
          an export will do.
        </p>
        {files.length > 0 ? (
          <>
            {files.map(({ name, size }, at) => (
              <p key={at}>
                <strong>
                  <UserText text={name} />
                </strong>{" "}
                <span class="quiet">{Math.max(1, Math.round(size / 1000)).toLocaleString("en")} KB</span>
              </p>
            ))}
            <p>
              <button
                type="button"
                class="link"
                disabled={busy}
                onClick={() => {
                  setFiles([]);
                  setSaid("");
                  forget();
                }}
              >
                Choose others
              </button>
            </p>
          </>
        ) : (
          <label class="field">
            Files
            <input
              type="file"
              multiple
              accept=".json,.ndjson,.jsonl,application/json,application/x-ndjson"
              onChange={(event) => setFiles([...(event.currentTarget.files ?? [])])}
            />
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />
          Replace contexts that are there already
        </label>
        {said !== "" && (
          <p class="notice good" role="status">
            {said}
          </p>
        )}
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="button main" disabled={files.length === 0 || busy}>
            {busy ? "Importing …" : "Import"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
