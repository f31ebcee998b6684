// The files of the search: the module in its two forms, and the models.

import { NacreError } from "@package";

/** The files of the models, in the order in which the core takes them. Each address stands in full,
 * for bundlers to find. */
const MODELS = (): URL[] => [
  new URL("./models/vocab.txt", import.meta.url),
  new URL("./models/static-s128i4.bin", import.meta.url),
  new URL("./models/expand-top16.bin", import.meta.url),
  new URL("./models/splade-tiny-i4.bin", import.meta.url),
];
const NAMES = ["vocab.txt", "static-s128i4.bin", "expand-top16.bin", "splade-tiny-i4.bin"];

/** A module that adds two vectors of zeros. */
const VECTORS = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0];
const ADDED = [65, 0, 253, 15, 253, 98, 11];

/** Whether the host has vector instructions (simd128). Without them the models would take half a
 * second for a document. */
export const hasVectors = (): boolean => WebAssembly.validate(new Uint8Array([...VECTORS, ...ADDED]));

type Bytes = Uint8Array<ArrayBuffer>;

let own: (url: URL) => Promise<Bytes> | undefined = () => undefined;
let module: WebAssembly.Module | undefined;

/** Sets how the host reads what `fetch` does not. */
export const withReader = (read: typeof own): void => void (own = read);

/** Sets the module, where a host loads none. */
export const withModule = (compiled: WebAssembly.Module): void => void (module = compiled);

/** The module that the host can run. */
export function moduleHere(): WebAssembly.Module | URL | Promise<Bytes> {
  if (module) return module;
  const url = hasVectors()
    ? new URL("./search_bg.wasm", import.meta.url)
    : new URL("./search_plain_bg.wasm", import.meta.url);
  return own(url) ?? url;
}

/** The files of the models, from a folder or from beside the script. */
export function models(folder: string | URL | undefined): Promise<Bytes[]> {
  const base = folder === undefined ? undefined : String(folder).replace(/\/?$/, "/");
  const here = (globalThis as { location?: { href: string } }).location?.href;
  const urls = base === undefined ? MODELS() : NAMES.map((name) => new URL(base + name, here));
  return Promise.all(urls.map(read));
}

async function read(url: URL): Promise<Bytes> {
  const file = own(url);
  if (file) return file;
  const response = await fetch(url);
  if (!response.ok) throw new NacreError("unavailable", `${url} answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
