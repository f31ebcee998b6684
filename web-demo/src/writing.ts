// Writes to the replica, one at a time, and keeps the error of the last one.

import type { Replica } from "@nacre/context";
import { useRef, useState } from "preact/hooks";

/** What to say once a write is kept. */
export const savedWhere = ({ status }: Replica): string =>
  status.state === "offline" ? "Saved on this device" : "Saved";

export interface Writing {
  /** Writes, unless a write is running: pressing a button twice writes once. */
  submit: (event?: Event) => Promise<void>;
  busy: boolean;
  fault: unknown;
  /** Clears the error of an earlier write. */
  forget: () => void;
}

export function useWriting(write: () => Promise<void>): Writing {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const under = useRef(false);
  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (under.current) return;
    under.current = true;
    setBusy(true);
    setFault(undefined);
    try {
      await write();
    } catch (error) {
      setFault(error);
    }
    under.current = false;
    setBusy(false);
  };
  return { submit, busy, fault, forget: () => setFault(undefined) };
}
