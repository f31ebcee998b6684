// Imports files of contexts: NDJSON, a JSON array, or one object.

import { NacreError, type Replica } from "@nacre/context";
import { useState } from "preact/hooks";

import { type Address, key } from "./address";
import { Dialog } from "./dialog";
import { isObject, mistake, parse } from "./json";
import { itemsOf } from "./json-edits";
import { Fault } from "./parts";
import { attempt, useReplica } from "./reading";
import { UserText } from "./user-text";
import { useWriting } from "./writing";

export function Import({ onClose, dropped }: { onClose: () => void; dropped: readonly File[] }) {
  const { replica } = useReplica();
  const [replace, setReplace] = useState(false);
  const [files, setFiles] = useState(dropped);
  const [said, setSaid] = useState("");
  const { submit, busy, fault, forget } = useWriting(async () => {
    const counts = { created: 0, replaced: 0 };
    const tell = (more: typeof counts) => {
      counts.created += more.created;
      counts.replaced += more.replaced;
      return `${counts.created} made, ${counts.replaced} replaced`;
    };
    setSaid("");
    for (const [at, file] of files.entries()) {
      const source = await file.text();
      const mode = replace ? "replace" : "create";
      const before = versions(replica);
      const done = await replica.import(source, { mode }).catch((error: unknown) => {
        const part = wentIn(source, before, versions(replica));
        const what = tell(part);
        if (part.created + part.replaced > 0) {
          setSaid(`${what} before the fault. They stay: to bring in the rest, correct the file, and replace these.`);
        }
        throw placed(error, file.name, source);
      });
      if (done.created + done.replaced === 0) throw new Error(`${file.name} holds no contexts.`);
      setSaid(`${tell(done)}.`);
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
          <p class={fault === undefined ? "notice good" : "notice"} role="status">
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

/** The version of every context that is here. */
const versions = (replica: Replica) => new Map(replica.list().items.map((item) => [key(item), item.version]));

/**
 * How much of a file went in before a fault: each 100 contexts are all or nothing, and the error does
 * not say which of them are in. The file's contexts whose version is another one now are.
 */
function wentIn(source: string, before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const lines = () => source.split("\n").flatMap((line) => (line.trim() === "" ? [] : [parse(line)]));
  const items = attempt(() => [parse(source)].flat()).value ?? attempt(lines).value ?? [];
  const named = new Set((items.filter(isObject) as unknown as Address[]).map(key));
  const changed = [...named].filter((one) => after.get(one) !== before.get(one));
  const replaced = changed.filter((one) => before.has(one)).length;
  return { created: changed.length - replaced, replaced };
}

/** An error of an import with the file and the line in it. */
function placed(error: unknown, file: string, source: string): unknown {
  if (!(error instanceof NacreError)) return error;
  const { code, pointer, problem } = error;
  const item = problem?.failed_operation;
  const known = item === undefined || /\bline \d/i.test(error.message); // then the error says it itself
  const { place, message = error.message } = known ? { place: "" } : placeOf(source, item, error);
  return Object.assign(new Error(`${file}${place}: ${message}`), { code, pointer });
}

/** Where an item of a file stands; and for text that is not JSON, what is wrong there. */
function placeOf(source: string, item: number, error: NacreError): { place: string; message?: string } {
  const { code } = error;
  const whole = attempt(() => parse(source));
  if (whole.error === undefined) {
    // The core is stricter, with names that are there twice for one; then it knows of no items.
    if (code === "invalid-json") return { place: "" };
    const start = Array.isArray(whole.value) ? (itemsOf(source)[item] ?? 0) : source.search(/\S/);
    return { place: `, line ${source.slice(0, start).split("\n").length}` };
  }
  const lines = source.split("\n").flatMap((text, at) => (text.trim() === "" ? [] : [{ text, line: at + 1 }]));
  const { text = "", line = 1 } = lines[item] ?? {};
  if (code !== "invalid-json") return { place: `, line ${line}` };
  // One context a line, or one text over all lines?
  const alone = lines.length === 1 || lines.some(({ text }) => attempt(() => parse(text)).error === undefined);
  const wrong = alone ? mistake(text, error) : mistake(source, error);
  const at = alone ? line + wrong.line - 1 : wrong.line;
  return { place: `, line ${at}, column ${wrong.column}`, message: wrong.message };
}
