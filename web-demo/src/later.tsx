// Loads parts of the page on first use, so that the first view appears sooner.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Fault } from "./parts";

/** A part of the page in its own file. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Later(props: P) {
    const [, show] = useState(0);
    const [fault, setFault] = useState<unknown>();
    useEffect(() => {
      if (Loaded) return;
      load().then((room) => {
        Loaded = room;
        show(1);
      }, setFault);
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return fault === undefined ? null : <Fault error={fault} />;
  };
}
