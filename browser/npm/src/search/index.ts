// The entry of the search for browsers and bundlers: module and models stand beside the script.

export { openSearch } from "./search.ts";
