// Moves a context to another parent, after a preview of the changes in every view.

import type { Operation } from "@nacre/context";
import { useMemo, useState } from "preact/hooks";

import { type Address, above, name } from "./address";
import { Dialog } from "./dialog";
import { Fault } from "./parts";
import { PreviewOf } from "./preview";
import { type Held, useRead, useReplica } from "./reading";
import { useWriting } from "./writing";

/** `start` is the parent that is chosen at first; `onDone` is called once it is moved. */
export function Move(props: { context: Held; start?: string; onDone?: () => Promise<void>; onClose: () => void }) {
  const { context, start = "", onDone, onClose } = props;
  const { level, id, parent } = context;
  const { replica } = useReplica();
  const up = above(level);
  const others = useRead(
    (replica) => (up ? replica.list({ level: up }).items.filter((one) => one.id !== parent) : []),
    [up, parent],
  ).value;
  const [chosen, setChosen] = useState(start);
  const [taken, setTaken] = useState(false);
  const operations = useMemo(
    (): Operation[] => (chosen === "" ? [] : [{ action: "move", level, context_id: id, parent: chosen }]),
    [chosen, level, id],
  );
  const { submit, busy, fault } = useWriting(async () => {
    await replica.move(level, id, chosen);
    await onDone?.();
    onClose();
  });
  const address: Address = { level, id };
  return (
    <Dialog title={`Move ${name(address)}`} wide filled={chosen !== start} onClose={onClose}>
      <form onSubmit={submit}>
        <p class="quiet">
          It is in {up} {parent} now.{level === "branch" && " What is below it goes along."}
        </p>
        {others?.length === 0 ? (
          <p class="nothing">There is no other {up} to move it to.</p>
        ) : (
          <label class="field">
            To which {up}
            <select value={chosen} required onChange={(event) => setChosen(event.currentTarget.value)}>
              <option value="">Choose one</option>
              {others?.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.id}
                </option>
              ))}
            </select>
          </label>
        )}
        {operations.length > 0 && <PreviewOf operations={operations} onVerdict={setTaken} />}
        {fault !== undefined && <Fault error={fault} />}
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" class="button main" disabled={busy || !taken || chosen === ""}>
            Move
          </button>
        </div>
      </form>
    </Dialog>
  );
}
