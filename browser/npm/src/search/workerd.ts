// The entry of the search for workerd, which takes modules as imports. It has no files beside a
// script, so the models need an address.

import module from "./search_bg.wasm";

import { withModule } from "./files.ts";

withModule(module);

export * from "./index.ts";
