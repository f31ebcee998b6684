// What the build makes of an import of a module: its address.

declare module "@nacre/context/nacre_bg.wasm" {
  const url: string;
  export default url;
}
