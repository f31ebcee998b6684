// Loads parts of the page on first use, so that the first view appears sooner.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Fault } from "./parts";

/** A module, from when it is `wanted` and has been loaded. */
export function useLater<T>(load: () => Promise<T>, wanted: boolean): T | undefined {
  const [loaded, setLoaded] = useState<T>();
  useEffect(() => {
    // The part that needs it as well says when it cannot be loaded.
    if (wanted) load().then(setLoaded, () => {});
  }, [wanted]);
  return loaded;
}

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
