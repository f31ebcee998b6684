// The packages that `cargo xtask test mcp` has installed, and the official clients of them.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.NACRE_MCP_TOOLS, "package.json"));

/** A package, or a module of one. */
export const load = (name) => import(pathToFileURL(require.resolve(name)));

/** The program in a package's `dist`. */
export const program = (name) => join(dirname(require.resolve(`${name}/package.json`)), "dist/index.js");

export const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
export const { Client: FirstClient } = await load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = await load("@modelcontextprotocol/sdk/client/stdio.js");

const ABOUT = { name: "nacre-tests", version: "1" };

/** A client of the newest revision. */
export const newClient = () => new Client(ABOUT, { versionNegotiation: { mode: { pin: "2026-07-28" } } });

/** What carries its messages to a Worker, with these headers. */
export const toWorker = (url, headers, path = "/mcp") =>
  new StreamableHTTPClientTransport(new URL(path, url), { requestInit: { headers } });

/** A client of the memory server, and what carries its messages to a process of its own on this file. */
export const ofMemory = (file) => {
  const env = { ...process.env, MEMORY_FILE_PATH: file };
  const args = [program("@modelcontextprotocol/server-memory")];
  return [new FirstClient(ABOUT), new StdioClientTransport({ command: process.execPath, args, env, stderr: "ignore" })];
};
