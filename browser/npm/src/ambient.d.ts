// What the sources use and no library declares: values that the build fills in, and the two hosts
// that are not browsers.

/** The version of the package; the build puts it in. */
declare const VERSION: string;

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "node:fs/promises" {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

interface BroadcastChannel {
  /** Node only: lets the process end while the channel is open. */
  unref?(): void;
}
