// The entry for Node: the module is a file beside the script.

import { readFile } from "node:fs/promises";

import { withSource } from "./core.ts";

withSource(() => readFile(new URL("./nacre_bg.wasm", import.meta.url)));

export * from "./index.ts";
