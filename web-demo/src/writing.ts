// Writing to the replica: one thing at a time, and why it was not done.

import { useRef, useState } from "preact/hooks";

export interface Writing {
  /** Writes, unless it is being done already: what is pressed twice is written once. */
  submit: (event?: Event) => Promise<void>;
  busy: boolean;
  fault: unknown;
  /** Begins anew: what went wrong before no longer matters. */
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
