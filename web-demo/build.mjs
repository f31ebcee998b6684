// Builds the page into dist/web: `node web-demo/build.mjs`.
//
// The script, the style and the core's module get names that hold a hash of their content; the
// service worker gets the list of all of them, so that the page opens without a network. What
// only a search needs is kept when it is first asked for.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "../dist/web");
const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2023",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};

// The folder is emptied, not removed, so that a server keeps watching it. The models are the Worker's.
mkdirSync(out, { recursive: true });
const old = readdirSync(out).filter((name) => name !== "models");
for (const name of old) rmSync(join(out, name), { recursive: true });
cpSync(join(here, "static"), out, { recursive: true });

/** The modules that a script of the package names by `new URL`, which other bundlers find by themselves. */
const modulesByUrl = {
  name: "modules-by-url",
  setup({ onLoad }) {
    onLoad({ filter: /@nacre.context.searching-[^/]+\.js$/ }, ({ path }) => {
      const imports = [];
      const script = readFileSync(path, "utf8").replaceAll(/"(\.\/\w+\.wasm)"(?=,\s*import\.meta\.url)/g, (_, file) => {
        const name = `moduleUrl${imports.length}`;
        imports.push(`import ${name} from "${file}";`);
        return name;
      });
      return { contents: imports.join("\n") + script, resolveDir: dirname(path) };
    });
  },
};

/** Builds some of the assets, and gives what was made. */
async function assets(entryPoints, more = {}) {
  const { metafile } = await build({
    ...shared,
    entryPoints,
    outdir: join(out, "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    publicPath: "/assets",
    metafile: true,
    ...more,
  });
  return Object.entries(metafile.outputs).map(([path, { entryPoint, imports }]) => ({
    entryPoint,
    url: `/assets/${basename(path)}`,
    needs: imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => `/assets/${basename(path)}`),
  }));
}

const of = (made, entry) => made.find(({ entryPoint }) => entryPoint === entry);
const styles = await assets(["styles/page.css", "styles/rooms.css"]);
const scripts = await assets(["src/main.tsx"], {
  define: { ROOMS_STYLE: JSON.stringify(of(styles, "styles/rooms.css").url) },
  loader: { ".wasm": "file" },
  jsx: "automatic",
  jsxImportSource: "preact",
  conditions: ["browser"],
  plugins: [modulesByUrl],
  splitting: true, // the parts that are imported on first use
  chunkNames: "[name]-[hash]",
});
const made = [...styles, ...scripts];
const script = of(scripts, "src/main.tsx");
const preload = [script.url, ...script.needs].map((url) => `<link rel="modulepreload" href="${url}">`);
const page = readFileSync(join(here, "index.html"), "utf8")
  .replaceAll("%SCRIPT%", script.url)
  .replaceAll("%PRELOAD%", preload.join("\n    "))
  .replaceAll("%STYLE%", of(styles, "styles/page.css").url);
writeFileSync(join(out, "index.html"), page);

const urls = made.map(({ url }) => url);
/** The modules and the models of the search. */
const isLater = (url) => /\/search\w*_bg-/.test(url);
const models = readdirSync(join(here, "../models")).filter((name) => /\.(txt|bin)$/.test(name));
const shell = ["/", "/icon.svg", "/manifest.webmanifest", ...urls.filter((url) => !isLater(url))];
const later = [...urls.filter(isLater), ...models.map((name) => `/models/${name}`)];
const held = createHash("sha256").update(page);
for (const file of readdirSync(join(here, "static"))) held.update(readFileSync(join(here, "static", file)));
await build({
  ...shared,
  entryPoints: ["src/offline.ts"],
  outfile: join(out, "offline.js"),
  format: "iife",
  define: {
    SHELL: JSON.stringify(shell),
    LATER: JSON.stringify(later),
    EDITION: JSON.stringify(held.digest("hex").slice(0, 16)),
  },
});
