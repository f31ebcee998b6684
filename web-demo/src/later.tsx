// Rooms that are loaded when somebody first goes there, so that the first view is not kept waiting.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Fault } from "./parts";

/** A part of the page that comes with a file of its own. */
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
