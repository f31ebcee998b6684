// The built Worker on a real workerd, for tests and benchmarks.
//
// `start()` serves dist/worker the way `wrangler dev` would, without its proxy in front. Bindings
// come from wrangler.toml through wrangler's own reader, so they are listed once. Secrets are made
// up for each start; the developer's .dev.vars is not read.

import childProcess from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.env.WRANGLER_LOG ??= "error";
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false"; // no look-up of where this machine stands
const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
const { unstable_getMiniflareWorkerOptions: readConfig } = await import("wrangler");

// miniflare keeps the process it starts to itself; `kill` needs it. The variable says whose it is.
const RUNTIME = "NACRE_RUNTIME";
const runtimes = new Map();
const { spawn } = childProcess;
childProcess.spawn = (command, args, options) => {
  const child = spawn(command, args, options);
  if (options?.env?.[RUNTIME]) runtimes.set(options.env[RUNTIME], child);
  return child;
};

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Starts the Worker.
 *
 * @param {object} [options]
 * @param {string} [options.persist] folder of the databases; without it they live in a temporary
 *   one that `stop` removes
 * @param {Record<string, string>} [options.vars] variables and secrets, over those of wrangler.toml
 *   and the made-up ones; `undefined` takes one away
 * @param {boolean} [options.assets] `false` leaves out the page, and with it what looks for a file
 *   before a request reaches the Worker
 * @param {object} [options.bindings] further bindings, as miniflare describes them
 * @param {(script: string) => string} [options.rewrite] changes the Worker's script before it starts
 * @param {object[]} [options.others] further Workers in the same workerd, as miniflare describes
 *   them; `urls` has their addresses
 */
export async function start({ persist, vars = {}, assets = true, bindings: more, rewrite, others = [] } = {}) {
  const own = persist === undefined;
  const folder = persist ?? mkdtempSync(join(tmpdir(), "nacre-"));
  const bindings = {
    NACRE_JWT_SECRET: randomBytes(32).toString("base64url"),
    NACRE_MASTER_KEYS: `m1:${randomBytes(32).toString("base64")}`,
    ...vars,
  };
  const id = randomBytes(8).toString("hex");
  const logs = [];
  const ports = [0, ...others.map(() => 0)];
  let restarted = () => {};

  const open = async () => {
    const workers = [{ ...describeWorker(bindings, assets, rewrite), ...more }, ...others];
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        workers: workers.map((worker, index) => ({
          ...worker,
          unsafeDirectSockets: [{ host: "127.0.0.1", port: ports[index] }],
        })),
        host: "127.0.0.1",
        port: 0,
        cf: false,
        resourcePersistencePath: folder,
        unsafeRuntimeEnv: { [RUNTIME]: id },
        handleStructuredLogs: (line) => logs.push(line),
        unsafeHandleRuntimeRestart: () => restarted(),
      }),
    );
    await runtime.ready;
    const urls = await Promise.all(workers.map(({ name }) => runtime.unsafeGetDirectURL(name)));
    urls.forEach((url, index) => (ports[index] = Number(url.port)));
    return { runtime, urls: urls.map((url) => url.origin) };
  };

  let { runtime, urls } = await open();
  const worker = {
    /** Where the Worker answers; the same through `kill` and `restart`. */
    url: urls[0],
    /** The same for it and each of `others`. */
    urls,
    /** Signs tokens that the Worker takes. */
    secret: bindings.NACRE_JWT_SECRET,
    /** What the Worker wrote to its console: `{timestamp, level, message}`. */
    logs,
    /** Folder of the databases. */
    persist: folder,

    /** A client with a token for `sub`. */
    api: (sub, claims = {}) => client(worker.url, token({ sub, ...claims }, worker.secret)),

    /** Kills workerd with SIGKILL, at once; done when it has been started anew on the same data. */
    async kill() {
      const back = new Promise((resolve) => (restarted = resolve));
      runtimes.get(id).kill("SIGKILL");
      await back; // miniflare starts a new one when it sees the old one gone
    },

    /** The process of workerd. */
    pid: () => runtimes.get(id).pid,

    /** Stops workerd in an orderly way and starts it on the same data, with other variables. */
    async restart(changed = {}) {
      Object.assign(bindings, changed);
      await runtime.dispose();
      ({ runtime } = await open());
    },

    /** Drops the object of `name` from memory, as the platform does with an idle one. */
    evict: (name, className = "UserObject") => runtime.unsafeEvictDurableObject("nacre", className, { name }),

    /** The database of keyed tokens, as a Worker sees it. */
    searchDatabase: () => runtime.getD1Database("SEARCH", "nacre"),

    async stop() {
      await runtime.dispose();
      if (own) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    [Symbol.asyncDispose]: () => worker.stop(),
  };
  return worker;
}

/** The Worker as miniflare wants it described. */
function describeWorker(vars, assets, rewrite) {
  const { workerOptions, main } = readConfig(join(root, "wrangler.toml"), undefined, {
    envFiles: [devNull], // instead of .dev.vars
  });
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`cargo xtask build\``);
  const { modulesRules: _, bindings, ...options } = workerOptions;
  if (!assets) delete options.assets;
  const kinds = { ".js": "ESModule", ".wasm": "CompiledWasm" };
  const folder = dirname(main);
  const modules = readdirSync(folder)
    .filter((file) => extname(file) in kinds)
    .map((file) => ({ type: kinds[extname(file)], path: join(folder, file) }))
    .sort((a, b) => Number(b.path === main) - Number(a.path === main)); // the entry comes first
  if (rewrite) modules[0].contents = rewrite(readFileSync(main, "utf8"));
  const all = Object.entries({ ...bindings, ...vars }).filter(([, value]) => value !== undefined);
  return { ...options, name: "nacre", modulesRoot: folder, modules, bindings: Object.fromEntries(all) };
}

/**
 * A JWT (RFC 7519), signed with HS256 and good for an hour unless `claims` says otherwise.
 *
 * @param {object} claims `{sub, scope, exp, …}`; a claim that is `undefined` is left out
 * @param {string} secret
 * @param {object} [header] members over `{alg, typ}`, for tokens that must be refused
 */
export function token(claims, secret, header = {}) {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = [
    { alg: "HS256", typ: "JWT", ...header },
    { iat: now, exp: now + 3600, ...claims },
  ]
    .map(encode)
    .join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/**
 * A small client: `put`, `patch` and `post` take `(path, body, headers?)`, `get` and `delete`
 * `(path, headers?)`.
 *
 * A body that is text or bytes goes out as it is, anything else as JSON. Answers are
 * `{status, headers, bytes, text, body}`; `body` is the parsed JSON, if it is any. JSON.parse rounds
 * integers beyond 2^53: look at `text` where that matters.
 */
export function client(url, bearer) {
  const call =
    (method) =>
    async (path, body, headers = {}) => {
      const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(new URL(path, url), {
        method,
        redirect: "manual",
        headers: {
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        body: raw ? body : JSON.stringify(body),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const answer = { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
      if (/[/+]json\b/.test(response.headers.get("content-type") ?? "") && bytes.length > 0) {
        answer.body = JSON.parse(answer.text);
      }
      return answer;
    };
  return {
    /** The token. */
    bearer,
    get: (path, headers) => call("GET")(path, undefined, headers),
    put: call("PUT"),
    patch: call("PATCH"),
    post: call("POST"),
    delete: (path, headers) => call("DELETE")(path, undefined, headers),
  };
}
