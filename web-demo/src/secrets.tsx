// Secrets that are not with the server yet, and so not sealed: hidden, until somebody asks to see them.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { type Value, at, isObject, isSealed, names } from "./json";

/** How long a secret shows, in milliseconds. */
const SHOWN = 20_000;
const MASK = "••••••";
/** More than the names under which the server seals by default: what is hidden in vain can be shown. */
const SENSITIVE = /api_?key|pass_?(word|wd|phrase|code)|secret|token|credential|private_?key/;

const isSensitive = (name: string): boolean => SENSITIVE.test(name.toLowerCase().replaceAll(/[^a-z\d]+/g, "_"));

/** The value at a place without secrets: by their names, or since there is a sealed value there in
 * `before`. */
export function masked(pointer: string, value: Value | undefined, before: Value | undefined): Value | undefined {
  const mask = (value: Value, secret: boolean, before: Value | undefined): Value => {
    if (value === null || isSealed(value)) return value;
    if (secret || isSealed(before)) return MASK;
    if (Array.isArray(value)) return value.map((item) => mask(item, false, undefined));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, mask(inner, isSensitive(name), at(before, `/${name}`))]),
    );
  };
  return value === undefined ? undefined : mask(value, names(pointer).some(isSensitive), before);
}

/** A button that shows what is hidden for a while, if there is something to show. */
export function useReveal(hides: boolean): { shown: boolean; reveal: JSX.Element | undefined } {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(false), SHOWN);
    return () => clearTimeout(timer);
  }, [shown]);
  const reveal = hides ? (
    <p>
      <button type="button" class="link" aria-pressed={shown} onClick={() => setShown(!shown)}>
        {shown ? "Hide the secret" : "Show the secret"}
      </button>
    </p>
  ) : undefined;
  return { shown, reveal };
}
