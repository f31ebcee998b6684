// The package from outside: what careful tools say of it, and small projects that install and use
// it, as it is packed.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch, root, serve, startWorker, tarball, token, unpacked } from "./stage.mjs";

const tools = process.env.NACRE_NPM_TOOLS ?? join(root, "tests/browser");
const tool = (name) => join(tools, "node_modules/.bin", name);
// Not the kind that waits: the Worker's runtime needs this process.
const run = (program, args, cwd) =>
  new Promise((resolve, reject) => {
    const ended = (error, said, complaint) =>
      error ? reject(new Error(`${error.message}\n${said}${complaint}`)) : resolve(said);
    execFile(program, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 }, ended).stdin.end();
  });

let worker, project, bearer;
before(async () => {
  worker = await startWorker();
  bearer = token({ sub: "alice" }, worker.secret);
  await worker.api("alice").put("/v1/contexts/project/p", { data: { x: 1 } });
  // A project that has installed it.
  project = mkdtempSync(join(tmpdir(), "nacre-project-"));
  const { folder, [Symbol.dispose]: done } = unpacked();
  mkdirSync(join(project, "node_modules/@nacre"), { recursive: true });
  cpSync(join(folder, "package"), join(project, "node_modules/@nacre/context"), { recursive: true });
  done();
  writeFileSync(join(project, "package.json"), '{"name":"app","private":true,"type":"module"}');
});
after(async () => {
  await worker?.stop();
  if (project) rmSync(project, { recursive: true, force: true });
});

/** What every host is asked: a view by way of the package. */
const ask = (options) => `
  const replica = await open(${JSON.stringify({ url: worker.url, token: bearer, ...options })});
  await replica.update("project", "p", { y: 2 });
  const said = replica.resolveText("project", "p");
  await replica.close();`;

test("publint finds nothing", async () => {
  const said = await run(
    tool("publint"),
    ["run", join(project, "node_modules/@nacre/context"), "--strict", "--pack", "false"],
    project,
  );
  assert.match(said, /All good/i);
});

test("are the types wrong? finds nothing, of what an ES module promises", async () => {
  const said = await run(
    tool("attw"),
    [
      tarball,
      ...["--profile", "esm-only", "--format", "json", "--exclude-entrypoints"],
      ...["./nacre_bg.wasm", "./search_bg.wasm", "./search_plain_bg.wasm"],
    ],
    project,
  );
  const { analysis } = JSON.parse(said);
  const serious = Object.values(analysis.problems ?? {}).filter(
    ({ kind, resolutionKind }) => kind !== "CJSResolvesToESM" && resolutionKind !== "node10",
  );
  assert.deepEqual(serious, []);
});

test("the declarations check a program", async () => {
  writeFileSync(
    join(project, "app.ts"),
    `import { open, NacreError, type Conflict, type Replica } from "@nacre/context";
     const replica: Replica = await open({ url: "https://x", token: () => "t", under: { level: "project", id: "p" } });
     const text: string = replica.resolveText("task", "t", { path: "/a" });
     const stop: () => void = replica.on("conflict", (conflict: Conflict) => void replica.settle(conflict, { value: 1 }));
     replica.subscribe({ resolved: { level: "task", id: "t" } }, ({ hash }) => console.log(hash, text));
     // @ts-expect-error no such level
     replica.get("planet", "x");
     await replica.update("task", "t", { a: null }, { summary: "why" }).catch((error: NacreError) => error.code);
     stop();`,
  );
  const flags = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,dom,dom.iterable", "--module"];
  await run(tool("tsc"), [...flags, "nodenext", "app.ts"], project);
  await run(tool("tsc"), [...flags, "esnext", "--moduleResolution", "bundler", "app.ts"], project);
});

test("the README's example checks, runs, and does what it says", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, example] = /## In the browser[^#]*```ts\n([^`]*)```/.exec(readme);
  // Only what a reader would put in: where the server is, and who asks.
  const [address, session] = ["https://nacre.example", "session.token()"];
  for (const part of [address, session]) assert.ok(example.includes(part), part);
  const api = worker.api("reader");
  const lines = readFileSync(join(root, "examples/shop.ndjson"), "utf8");
  assert.equal((await api.post("/v1/import", lines, { "content-type": "application/x-ndjson" })).status, 200);
  const bearer = JSON.stringify(token({ sub: "reader" }, worker.secret));
  writeFileSync(
    join(project, "readme.ts"),
    `const session = { token: async () => ${bearer} };
     ${example.replace(address, worker.url)}
     await replica.synced();
     await replica.close();`,
  );
  const flags = ["--strict", "--target", "es2022", "--lib", "es2023,dom,dom.iterable", "--module", "nodenext"];
  await run(tool("tsc"), [...flags, "readme.ts"], project);
  await run(process.execPath, ["readme.js"], project);
  const { body } = await api.get("/v1/contexts/task/cart-latency");
  assert.deepEqual([body.version, body.data.goal], [2, "below 200 ms"]);
});

test("source maps lead to the source, and hold it", async () => {
  const folder = join(project, "node_modules/@nacre/context");
  const maps = readdirSync(folder).filter((name) => name.endsWith(".map"));
  assert.equal(maps.length, readdirSync(folder).filter((name) => name.endsWith(".js")).length);
  for (const name of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    for (const [at, source] of sources.entries()) {
      assert.match(source, /^(\.\.\/\.\.\/browser\/npm\/src|\.\.\/npm-glue)\/[\w/]+\.(ts|js)$/);
      assert.ok(sourcesContent[at].length > 0, source);
    }
  }
  writeFileSync(
    join(project, "maps.mjs"),
    `import { open } from "@nacre/context"; await open({ url: "https://x", token: "no" });`,
  );
  const failed = await run(process.execPath, ["--enable-source-maps", "maps.mjs"], project).catch(
    ({ message }) => message,
  );
  assert.match(failed, /browser\/npm\/src\/server\.ts:\d+/);
});

test("what is declared is there", async () => {
  const source = readFileSync(join(project, "node_modules/@nacre/context/index.d.ts"), "utf8");
  const replica = source.slice(source.indexOf("export interface Replica {"));
  const members = [...replica.slice(0, replica.indexOf("\n}")).matchAll(/^ {2}(?:readonly )?(\w+)[(:<]/gm)].map(
    ([, name]) => name,
  );
  assert.ok(members.length > 35, members.join());
  const script = `import * as nacre from "@nacre/context";
    const { open } = nacre;
    const replica = await open(${JSON.stringify({ url: worker.url, token: bearer })});
    const missing = ${JSON.stringify(members)}.filter((name) => !(name in replica));
    console.log(JSON.stringify([missing, Object.keys(nacre).sort(), nacre.version]));
    await replica.close();`;
  writeFileSync(join(project, "declared.mjs"), script);
  const [missing, exported, version] = JSON.parse(await run(process.execPath, ["declared.mjs"], project));
  assert.deepEqual(missing, []);
  assert.deepEqual(exported, ["NacreError", "init", "open", "version"]);
  assert.ok(tarball.includes(version));
});

test("Node uses it", async () => {
  writeFileSync(join(project, "node.mjs"), `import { open } from "@nacre/context";${ask()}\nconsole.log(said);`);
  assert.equal(await run(process.execPath, ["node.mjs"], project), '{"x":1,"y":2}\n');
});

const inPage = async (folder) => {
  const [site, browser] = [await serve(folder), await launch()];
  try {
    const page = await browser.newPage();
    await page.goto(`${site.url}/index.html`);
    await page.waitForFunction(() => document.title !== "" || globalThis.failed, null, { timeout: 15_000 });
    return await page.title();
  } finally {
    await browser.close();
    site.close();
  }
};

test("a plain script of a page uses it", async () => {
  const folder = join(project, "node_modules/@nacre/context");
  const script = `import { open } from "./index.js";${ask()}\ndocument.title = said;`;
  writeFileSync(join(folder, "index.html"), `<!doctype html><script type="module">${script}</script>`);
  try {
    assert.equal(await inPage(folder), '{"x":1,"y":2}');
  } finally {
    rmSync(join(folder, "index.html"));
  }
});

test("Vite builds with it", async () => {
  writeFileSync(join(project, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(join(project, "main.js"), `import { open } from "@nacre/context";${ask()}\ndocument.title = said;`);
  await run(tool("vite"), ["build", "--target", "es2022", "--logLevel", "error"], project);
  assert.equal(await inPage(join(project, "dist")), '{"x":1,"y":2}');
});

test("Vite builds with the search, and finds its module and models", async () => {
  writeFileSync(join(project, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>');
  const search = `
    const search = await openSearch(replica);
    await search.encoded();
    const { items, ranking } = await search.find({ q: "x" });
    document.title = [...ranking, items[0].id].join();`;
  writeFileSync(
    join(project, "main.js"),
    `import { open } from "@nacre/context"; import { openSearch } from "@nacre/context/search";
     ${ask().replace("await replica.close();", search)}`,
  );
  await run(tool("vite"), ["build", "--target", "es2022", "--logLevel", "error"], project);
  assert.match(await inPage(join(project, "dist")), /^words,(terms,)?vectors,p$/);
});

test("workerd uses it", async () => {
  const { Miniflare } = await import("miniflare");
  const folder = join(project, "node_modules/@nacre/context");
  const chunk = /from"\.\/(replica-\w+\.js)"/.exec(readFileSync(join(folder, "workerd.js"), "utf8"))[1];
  const contents = `import { open } from "./workerd.js";
    export default { async fetch() { ${ask()} return new Response(said); } };`;
  const file = (name, type) => ({ type, path: join(folder, name) });
  const { convertV4MiniflareOptions } = await import("miniflare");
  writeFileSync(join(folder, "entry.js"), contents);
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "app",
          compatibilityDate: "2026-01-01",
          modulesRoot: folder,
          modules: [
            file("entry.js", "ESModule"),
            file("workerd.js", "ESModule"),
            file(chunk, "ESModule"),
            file("nacre_bg.wasm", "CompiledWasm"),
          ],
        },
      ],
      cf: false,
    }),
  );
  try {
    const answer = await runtime.dispatchFetch("http://x/");
    assert.equal(await answer.text(), '{"x":1,"y":2}');
  } finally {
    await runtime.dispose();
    rmSync(join(folder, "entry.js"));
  }
});
