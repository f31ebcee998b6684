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

/** The address of the style of all rooms, which the build fills in. */
declare const ROOMS_STYLE: string;

let styled: Promise<void> | undefined;

/** Loads the style of the rooms, once. */
function style(): Promise<void> {
  styled ??= new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = ROOMS_STYLE;
    link.onload = () => resolve();
    link.onerror = () => {
      styled = undefined; // the next room tries again
      link.remove();
      reject(new Error("a part of the page did not load; try again"));
    };
    document.head.append(link);
  });
  return styled;
}

/** A part of the page in its own file. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Later(props: P) {
    const [, show] = useState(0);
    const [fault, setFault] = useState<unknown>();
    useEffect(() => {
      if (Loaded) return;
      Promise.all([load(), style()]).then(([room]) => {
        Loaded = room;
        show(1);
      }, setFault);
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return fault === undefined ? null : <Fault error={fault} />;
  };
}
