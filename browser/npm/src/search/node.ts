// The entry of the search for Node: module and models are files beside the script.

import { readFile } from "node:fs/promises";

import { withReader } from "./files.ts";

withReader((url) => (url.protocol === "file:" ? readFile(url) : undefined));

export * from "./index.ts";
