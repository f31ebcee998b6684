// The one error class, with the codes of the HTTP API and who has to act.

import type { Pointer, Problem } from "../index.js";
import type { PostedError } from "./tabs.ts";

type Fault = "input" | "conflict" | "denied" | "limit" | "store" | "bug";

const FAULTS: { readonly [status: number]: Fault } = {
  400: "input",
  401: "denied",
  403: "denied",
  404: "denied",
  405: "input",
  409: "conflict",
  410: "input",
  412: "conflict",
  413: "limit",
  415: "input",
  422: "input",
  429: "limit",
  500: "bug",
  503: "store",
};

export class NacreError extends Error {
  readonly code: string;
  readonly problem: Problem | undefined;
  readonly status: number | undefined;
  readonly pointer: Pointer | undefined;
  readonly retryAfter: number | undefined;
  readonly fault: Fault;

  constructor(
    code: string,
    detail: string,
    { problem, cause, retryAfter }: { problem?: Problem; cause?: unknown; retryAfter?: number } = {},
  ) {
    super(detail, { cause });
    this.name = "NacreError";
    this.code = code;
    this.problem = problem;
    this.status = problem?.status;
    this.pointer = problem?.pointer;
    this.retryAfter = retryAfter;
    this.fault = code === "closed" ? "input" : (FAULTS[problem?.status ?? 0] ?? "store");
  }
}

/** An error that is decided here, with problem details in the form of the server's. */
export function refused(code: string, status: number, detail: string, more: object = {}): NacreError {
  const { cause, ...members }: { cause?: unknown } = more;
  const title = code.replaceAll("-", " ");
  const problem: Problem = { type: `urn:nacre:error:${code}`, title, code, status, detail, ...members };
  return new NacreError(code, detail, { problem, cause });
}

/** The error for an argument that is not what it must be. */
export const invalid = (detail: string, cause?: unknown): NacreError =>
  refused("invalid-request", 400, detail, { cause });

/** The error for a token that does not let anybody in. */
export const unauthenticated = (detail: string, cause?: unknown): NacreError =>
  refused("unauthenticated", 401, detail, { cause });

/** The error for every act on a replica that is closed. */
export const closed = (): NacreError => new NacreError("closed", "the replica is closed");

/** Whether an error has this code. */
export const hasCode = (error: unknown, code: string): error is NacreError =>
  error instanceof NacreError && error.code === code;

/** An error that another tab has posted. */
export const received = ({ code, message, problem }: PostedError): NacreError =>
  new NacreError(code, message, problem ? { problem } : {});

/** What of an error can be posted to another tab. */
export const posted = ({ code, message, problem }: NacreError): PostedError => ({ code, message, problem });

/** What was thrown, as the one class: anything else is a bug of this package. */
export const asNacreError = (thrown: unknown): NacreError =>
  thrown instanceof NacreError ? thrown : new NacreError("internal", String(thrown), { cause: thrown });
