// Makes a module for Node of the component: `node transpile.mjs COMPONENT FOLDER`.
//
// package.json overrides the packages that stand in for WASI: newer ones name optional packages that
// the registry does not have, so that npm refuses their lock file. jco runs with the older ones, and
// the component needs none.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The packages are kept outside of the checkout; NACRE_JCO says where.
const require = createRequire(join(process.env.NACRE_JCO ?? import.meta.dirname, "package.json"));
const jco = await import(pathToFileURL(require.resolve("@bytecodealliance/jco-transpile")));

const [component, folder] = process.argv.slice(2).map((path) => resolve(path));
const { files } = await jco.transpile(component, { name: "nacre", outDir: folder });
await jco.writeFiles(files, { quiet: true });
writeFileSync(join(folder, "package.json"), '{"type":"module"}\n');
