// The entry for browsers and bundlers: the module stands beside the script.

export { init } from "./core.ts";
export { NacreError } from "./error.ts";
export { open } from "./replica.ts";
export const version: string = VERSION;
