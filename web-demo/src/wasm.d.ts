// An import of a wasm module: the build turns it into the module's address.

declare module "@nacre/context/nacre_bg.wasm" {
  const url: string;
  export default url;
}
