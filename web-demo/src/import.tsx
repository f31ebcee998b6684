// Bringing in files of contexts: NDJSON, a JSON array, or one object.

import { useState } from "preact/hooks";

import { Dialog, Fault } from "./parts";
import { useReplica } from "./reading";

/** What became of the files: those that came in, and why the first of the others did not. */
interface Outcome {
  said?: string;
  error?: unknown;
}

export function Import({ onClose, dropped }: { onClose: () => void; dropped: readonly File[] }) {
  const { replica } = useReplica();
  const [replace, setReplace] = useState(false);
  const [files, setFiles] = useState(dropped);
  const [outcome, setOutcome] = useState<Outcome>({});
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (files.length === 0 || busy) return;
    setBusy(true);
    const counts = { created: 0, replaced: 0 };
    const ended: Outcome = {};
    let left = files;
    try {
      for (const file of files) {
        const { created, replaced } = await replica.import(await file.text(), {
          mode: replace ? "replace" : "create",
        });
        counts.created += created;
        counts.replaced += replaced;
        left = left.slice(1);
      }
    } catch (error) {
      ended.error = error;
    }
    if (left.length < files.length) ended.said = `${counts.created} made, ${counts.replaced} replaced.`;
    setOutcome(ended);
    setFiles(left);
    setBusy(false);
  };
  return (
    <Dialog title="Import contexts" onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">
          One context a line, or an array of them:{" "}
          <code>{'{"level", "id", "parent", "data", "rules"}'}</code>. Lines of an export will do.
        </p>
        {files.length > 0 ? (
          <>
            {files.map(({ name, size }, at) => (
              <p key={at}>
                <strong>{name}</strong>{" "}
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
                  setOutcome({});
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
        {outcome.said !== undefined && (
          <p class="notice good" role="status">
            {outcome.said}
          </p>
        )}
        {outcome.error !== undefined && <Fault error={outcome.error} />}
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
