// The entry for workerd, which takes modules as imports and compiles nothing.

import module from "./nacre_bg.wasm";

import { withSource } from "./core.ts";

withSource(() => module);

export * from "./index.ts";
