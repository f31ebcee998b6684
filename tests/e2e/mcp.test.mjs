// The Model Context Protocol over HTTP, as its transport wants it: who may call, what is refused and how.
// The official clients and the conformance suite are in tests/mcp.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { client, start, token } from "./harness.mjs";

let worker;
before(async () => (worker = await start({ vars: { NACRE_CORS_ORIGINS: "https://app.example" } })));
after(() => worker?.stop());

const VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Sends a message of an earlier revision. */
const say = (api, method, params = {}, headers = {}) =>
  api.post("/mcp", { jsonrpc: "2.0", id: 1, method, params }, headers);

/** Sends a message of the newest revision. */
const ask = (api, method, params = {}, headers = {}) =>
  api.post(
    "/mcp",
    { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } },
    { "mcp-protocol-version": VERSION, "mcp-method": method, ...headers },
  );

test("without a token a client is told where to get one", async () => {
  const answer = await say(client(worker.url), "tools/list");
  assert.equal(answer.status, 401);
  const place = `${worker.url}/.well-known/oauth-protected-resource/mcp`;
  const challenge = answer.headers.get("www-authenticate");
  assert.match(challenge, /^Bearer /);
  assert.ok(challenge.includes(`resource_metadata="${place}"`), challenge);
  assert.ok(challenge.includes('scope="contexts:read contexts:write"'), challenge);
  for (const path of [place, `${worker.url}/.well-known/oauth-protected-resource`]) {
    const metadata = await (await fetch(path)).json();
    assert.equal(metadata.resource, `${worker.url}/mcp`);
    assert.ok(metadata.scopes_supported.includes("contexts:write"));
  }
});

test("a lacking scope is named", async () => {
  const api = worker.api("writer", { scope: "contexts:write" });
  for (const answer of [await say(api, "resources/list"), await ask(api, "resources/list")]) {
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("www-authenticate"), /error="insufficient_scope", scope="contexts:read"/);
    assert.equal(answer.body.id, 1);
  }
});

test("only pages that the deployment names may call, and those of this machine", async () => {
  const api = worker.api("pages");
  const status = async (origin) => (await say(api, "ping", {}, { origin })).status;
  assert.equal(await status("https://app.example"), 200);
  assert.equal(await status("http://localhost:6274"), 200);
  assert.equal(await status("https://evil.example"), 403);
  const preflight = await fetch(`${worker.url}/mcp`, {
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "POST" },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers"), /Mcp-Method/);
});

test("what is no message of the protocol is refused, and nothing breaks", async () => {
  const api = worker.api("odd");
  const code = async (body, headers) => {
    const answer = await api.post("/mcp", body, headers);
    return [answer.status, answer.body?.error?.code];
  };
  assert.deepEqual(await code("{"), [400, -32700]);
  assert.deepEqual(await code([]), [400, -32600]);
  assert.deepEqual(await code({ jsonrpc: "2.0", id: 1 }), [400, -32600]);
  assert.deepEqual(await code({ jsonrpc: "2.0", id: 1, method: "no/such" }), [200, -32601]);
  const known = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  assert.deepEqual(await code(known, { "mcp-protocol-version": "2020-01-01" }), [400, -32022]);
  const answer = await ask(api, "no/such");
  assert.deepEqual([answer.status, answer.body.error.code], [404, -32601]);
  assert.deepEqual((await ask(api, "tools/list", {}, { "mcp-method": "ping" })).body.error.code, -32020);
  const big = await api.post("/mcp", "x".repeat(5 << 20));
  assert.equal(big.status, 413);
  for (const method of ["GET", "DELETE", "PUT"]) {
    const refused = await fetch(`${worker.url}/mcp`, { method, headers: { authorization: `Bearer ${api.bearer}` } });
    assert.equal(refused.status, 405, method);
  }
});

test("notifications are accepted without an answer, and a client may go without a session", async () => {
  const api = worker.api("plain");
  const begun = await say(api, "initialize", { protocolVersion: "2025-06-18", capabilities: {} });
  assert.equal(begun.body.result.protocolVersion, "2025-06-18");
  assert.ok(begun.headers.get("mcp-session-id"));
  const noted = await api.post("/mcp", { jsonrpc: "2.0", method: "notifications/initialized" });
  assert.deepEqual([noted.status, noted.text], [202, ""]);
  assert.deepEqual((await say(api, "ping")).body, { id: 1, jsonrpc: "2.0", result: {} });
  const later = await say(api, "initialize", { protocolVersion: "2031-01-01" });
  assert.equal(later.body.result.protocolVersion, "2025-11-25");
});

test("answers are the user's own: nobody may keep them", async () => {
  const answer = await ask(worker.api("own"), "resources/list");
  assert.equal(answer.body.result.cacheScope, "private");
  assert.match(answer.headers.get("cache-control"), /no-store/);
});

test("requests of the protocol count against the quota of requests", async () => {
  await worker.restart({ NACRE_QUOTAS: "requests_per_second=1,burst=2" });
  const api = worker.api("hasty");
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await say(api, "ping"));
  const refused = answers.find(({ status }) => status === 429);
  assert.ok(refused, "no request was refused");
  assert.ok(refused.headers.get("retry-after"));
});

test("a stream ends when its token does", async () => {
  await worker.restart({ NACRE_QUOTAS: "" });
  const exp = Math.floor(Date.now() / 1000) + 4;
  const bearer = token({ sub: "short", exp }, worker.secret);
  await worker.api("short").put("/v1/contexts/global/global", { data: {} });
  const response = await fetch(`${worker.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${bearer}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": VERSION,
      "mcp-method": "subscriptions/listen",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: "s",
      method: "subscriptions/listen",
      params: { _meta: META, notifications: { resourcesListChanged: true } },
    }),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  const text = await response.text();
  const messages = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json));
  assert.equal(messages[0].method, "notifications/subscriptions/acknowledged");
  assert.deepEqual(messages[0].params.notifications, { resourcesListChanged: true });
  assert.equal(messages.at(-1).id, "s");
  assert.equal(messages.at(-1).result._meta["io.modelcontextprotocol/subscriptionId"], "s");
});
