// The entry for browsers and bundlers: the module stands beside the script.

export { init } from "./core.js";
export { NacreError } from "./error.js";
export { open } from "./replica.js";
export const version = VERSION;
