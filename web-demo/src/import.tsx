// Bringing in a file of contexts: NDJSON, a JSON array, or one object.

import { useState } from "preact/hooks";

import { Dialog, Fault } from "./parts";
import { useReplica } from "./reading";

/** What became of a file. */
type Outcome = { said: string } | { error: unknown };

export function Import({ onClose, dropped }: { onClose: () => void; dropped?: File }) {
  const { replica } = useReplica();
  const [replace, setReplace] = useState(false);
  const [file, setFile] = useState(dropped);
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!file || busy) return;
    setBusy(true);
    try {
      const { created, replaced } = await replica.import(await file.text(), {
        mode: replace ? "replace" : "create",
      });
      setOutcome({ said: `${created} made, ${replaced} replaced.` });
      setFile(undefined);
    } catch (error) {
      setOutcome({ error });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="Import contexts" onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">
          One context a line, or an array of them:{" "}
          <code>{'{"level", "id", "parent", "data", "rules"}'}</code>. Lines of an export will do.
        </p>
        {file ? (
          <p>
            <strong>{file.name}</strong>{" "}
            <span class="quiet">{Math.max(1, Math.round(file.size / 1000)).toLocaleString("en")} KB</span>{" "}
            <button
              type="button"
              class="link"
              disabled={busy}
              onClick={() => {
                setFile(undefined);
                setOutcome(undefined);
              }}
            >
              Another file
            </button>
          </p>
        ) : (
          <label class="field">
            A file
            <input
              type="file"
              accept=".json,.ndjson,.jsonl,application/json,application/x-ndjson"
              onChange={(event) => setFile(event.currentTarget.files?.[0])}
            />
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />
          Replace contexts that are there already
        </label>
        {outcome && "said" in outcome && (
          <p class="notice good" role="status">
            {outcome.said}
          </p>
        )}
        {outcome && "error" in outcome && <Fault error={outcome.error} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="button main" disabled={!file || busy}>
            {busy ? "Importing …" : "Import"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
