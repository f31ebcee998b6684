// The one error, with the codes of the HTTP API and who is at fault.

const FAULTS = {
  400: "input", 401: "denied", 403: "denied", 404: "denied", 405: "input", 409: "conflict",
  410: "input", 412: "conflict", 413: "limit", 415: "input", 422: "input", 429: "limit",
  500: "bug", 503: "store",
};

export class NacreError extends Error {
  constructor(code, detail, { problem, cause } = {}) {
    super(detail, { cause });
    this.name = "NacreError";
    this.code = code;
    this.problem = problem;
    this.status = problem?.status;
    this.pointer = problem?.pointer;
    this.fault = code === "closed" ? "input" : (FAULTS[problem?.status] ?? "store");
  }
}
