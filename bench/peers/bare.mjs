// The built Worker with the bare one beside it, in the same workerd.

import { readdirSync } from "node:fs";
import { extname, join } from "node:path";

import { root, start } from "../../tests/e2e/harness.mjs";

/**
 * Starts both; `urls` has their addresses, the Worker's first.
 *
 * @param {object} [bareBindings] further bindings of the bare one, as miniflare describes them
 * @param {object} [bindings] further ones of the Worker
 */
export function startBesideBare(bareBindings = {}, bindings = {}) {
  const folder = join(root, "dist/bench/bare");
  const kinds = { ".js": "ESModule", ".wasm": "CompiledWasm" };
  const modules = readdirSync(folder)
    .filter((file) => extname(file) in kinds)
    .map((file) => ({ type: kinds[extname(file)], path: join(folder, file) }))
    .sort((a, b) => Number(b.path.endsWith("index.js")) - Number(a.path.endsWith("index.js")));
  const bare = {
    name: "bare",
    compatibilityDate: "2026-11-01",
    modulesRoot: folder,
    modules,
    durableObjects: { BARE: { className: "Bare", useSQLite: true } },
    ...bareBindings,
  };
  // Neither has a page in front of it, and a benchmark asks more often than a user may.
  const vars = { NACRE_QUOTAS: "requests_per_second=1000000,burst=1000000" };
  return start({ assets: false, others: [bare], vars, bindings });
}
