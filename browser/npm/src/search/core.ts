// Loads the core's search, and converts what it throws.

import load, { type InitInput, Meanings, Searcher } from "@search";
import { NacreError } from "@package";
import type { Problem } from "../../index.js";
import { models, moduleHere } from "./files.ts";

export { type Meanings, Searcher };

type Source = InitInput | Promise<InitInput>;

let loading: Promise<void> | undefined;

/** Loads the module, once. */
export function init(source?: Source): Promise<void> {
  loading ??= load(source ?? moduleHere()).then(
    () => {},
    (cause: unknown) => {
      loading = undefined; // the next call tries again
      throw new NacreError("unavailable", "the search cannot load: `module` must lead to search_bg.wasm", { cause });
    },
  );
  return loading;
}

/** Calls the core, which throws the text of a problem. */
export function call<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (typeof thrown !== "string") throw thrown;
    const problem: Problem = JSON.parse(thrown);
    throw new NacreError(problem.code, problem.detail, { problem });
  }
}

/** The models by their folders: all searches of a page share them. */
const held = new Map<string, Promise<Meanings>>();

/** Loads the models of a folder, once. The core checks the hash of each file. */
export function loadModels(folder: string | URL | undefined): Promise<Meanings> {
  const name = String(folder);
  const read = async (): Promise<Meanings> => {
    const [vocabulary, table, expansion, sparse] = await models(folder);
    if (!vocabulary || !table || !expansion || !sparse) throw new TypeError("a file is missing");
    return call(() => new Meanings(vocabulary, table, expansion, sparse));
  };
  const loaded = held.get(name) ?? read();
  held.set(name, loaded);
  loaded.catch(() => held.delete(name));
  return loaded;
}
