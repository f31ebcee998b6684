// Tokens that must not open anything, and stores of others that must not show that they exist.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { client, start, token } from "../harness.mjs";

const NOW = Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

let worker;
before(async () => {
  worker = await start();
  const { status } = await worker.api("alice").put("/v1/contexts/project/p", { data: { of: "alice" } });
  assert.equal(status, 201);
});
after(() => worker?.stop());

const read = (bearer) => client(worker.url, bearer).get("/v1/contexts/project/p");

async function turnedAway(answer, why) {
  const { status, headers, body, text } = await answer;
  assert.deepEqual([status, body?.code], [401, "unauthenticated"], `${why}: ${status} ${text}`);
  assert.match(headers.get("www-authenticate"), /^Bearer/, why);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.ok(!headers.has("nacre-seq"), why);
}

test("a token that is right opens its own store", async () => {
  const { status, body } = await read(token({ sub: "alice" }, worker.secret));
  assert.deepEqual([status, body.data], [200, { of: "alice" }]);
});

test("no token, half a token and other schemes open nothing", async () => {
  const good = token({ sub: "alice" }, worker.secret);
  const get = (authorization) =>
    client(worker.url).get("/v1/contexts/project/p", authorization === undefined ? {} : { authorization });
  await turnedAway(get(undefined), "nothing");
  for (const authorization of [
    "",
    "Bearer",
    "Bearer ",
    good,
    `Basic ${good}`,
    `Bearer${good}`,
    `Bearer ${good} x`,
    `Bearer ${good}, Bearer ${good}`,
    `Bearer ${good.slice(0, -1)}`,
    `Bearer ${good}A`,
    `Bearer ${good}.`,
    `Bearer .${good}`,
    `Bearer ${good.split(".").slice(0, 2).join(".")}`,
    `Bearer ${good.split(".").slice(0, 2).join(".")}.`,
    `Bearer ${good.replaceAll(".", "..")}`,
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer null",
    `Bearer ${"A".repeat(9000)}`,
  ]) {
    await turnedAway(get(authorization), authorization.slice(0, 60));
  }
  assert.equal((await get(`bearer ${good}`)).status, 200, "the scheme's case does not matter");
});

test("what is wrong in the claims opens nothing", async () => {
  const cases = {
    expired: { exp: NOW - 120 },
    "expires as text": { exp: String(NOW + 100) },
    "never expires": { exp: undefined },
    "expires at nothing": { exp: null },
    "expires at −1": { exp: -1 },
    "not yet": { nbf: NOW + 600 },
    "no one": { sub: undefined },
    "an empty name": { sub: "" },
    "a name as a number": { sub: 5 },
    "a list of names": { sub: ["alice"] },
    "scopes as a list": { scope: ["contexts:read"] },
  };
  for (const [why, claims] of Object.entries(cases)) {
    await turnedAway(read(token({ sub: "alice", ...claims }, worker.secret)), why);
  }
});

test("tokens of another key, unsigned, re-signed and confused open nothing", async () => {
  const claims = { sub: "alice", iat: NOW, exp: NOW + 3600 };
  const good = token(claims, worker.secret);
  const [header, payload, signature] = good.split(".");
  const hmac = (algorithm, text, key = worker.secret) => createHmac(algorithm, key).update(text).digest("base64url");
  await turnedAway(read(token(claims, "another secret of more than thirty-two bytes")), "another key");
  await turnedAway(read(token(claims, "")), "no key");
  const raised = encode({ ...claims, scope: "admin" });
  await turnedAway(read(`${header}.${raised}.${signature}`), "other claims");
  await turnedAway(read(`${encode({ alg: "HS256", typ: "JWT", x: 1 })}.${payload}.${signature}`), "another header");
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    null,
    0,
    undefined,
    "HS384",
    "HS512",
    "RS256",
    "ES256",
    "EdDSA",
    "hs256",
    "HS256 ",
  ]) {
    const named = encode({ alg, typ: "JWT" });
    for (const proof of [
      "",
      signature,
      hmac("sha256", `${named}.${payload}`),
      hmac("sha384", `${named}.${payload}`),
      hmac("sha512", `${named}.${payload}`),
    ]) {
      await turnedAway(read(`${named}.${payload}.${proof}`), `alg ${alg}`);
    }
  }
  // A key that the token brings itself.
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const own = encode({
    alg: "EdDSA",
    jwk: publicKey.export({ format: "jwk" }),
    jku: "http://127.0.0.1:1/",
    kid: "../../etc/passwd",
  });
  const signed = sign(null, Buffer.from(`${own}.${payload}`), privateKey).toString("base64url");
  await turnedAway(read(`${own}.${payload}.${signed}`), "a key of its own");
  await turnedAway(read(token(claims, worker.secret, { crit: ["exp"] })), "an extension nobody knows");
  await turnedAway(read(token(claims, worker.secret, { b64: false, crit: ["b64"] })), "a payload that is not encoded");
  // One text in two encodings: only the one that was signed.
  const last = signature.at(-1);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const twin = alphabet[alphabet.indexOf(last) ^ 1];
  await turnedAway(read(`${header}.${payload}.${signature.slice(0, -1)}${twin}`), "bits beyond the end");
  await turnedAway(read(`${header}.${payload}.${signature}=`), "padding");
  // Two members of one name: whichever is meant, not this.
  const twice = encode(`{"sub":"alice","sub":"bob","exp":${NOW + 100}}`);
  await turnedAway(read(`${header}.${twice}.${hmac("sha256", `${header}.${twice}`)}`), "two subjects");
});

test("every scope opens what it says and no more", async () => {
  const as = (scope) => worker.api("alice", { scope });
  const lacks = ({ status, body, headers }, why) => {
    assert.deepEqual([status, body?.code], [403, "forbidden"], why);
    assert.match(headers.get("www-authenticate") ?? "", /insufficient_scope/, why);
  };
  const path = "/v1/contexts/project/p";
  assert.equal((await as("contexts:read").get(path)).status, 200);
  lacks(await as("contexts:read").put(path, { data: {} }), "a reader writes");
  lacks(await as("contexts:read").post("/v1/batch", { operations: [] }), "a reader's batch");
  lacks(await as("contexts:write").get(path), "a writer reads");
  for (const scope of ["", "contexts", "contexts:READ", "openid email", "secrets:reveal"])
    lacks(await as(scope).get(path), scope);
  lacks(await as("contexts:read contexts:write").get(`${path}?reveal=true`), "no reveal");
  lacks(await as("admin").get(`${path}?reveal=true`), "an admin may not reveal");
  assert.equal((await as("contexts:read secrets:reveal").get(`${path}?reveal=true`)).status, 200);
  const operations = [{ action: "resolve", level: "project", context_id: "p", reveal: true }];
  const batch = await as("contexts:read contexts:write").post("/v1/batch", { operations });
  assert.deepEqual([batch.status, batch.body.code], [403, "forbidden"], "reveal within a batch");
});

test("the names of the platform's own headers are not the client's", async () => {
  const mallory = worker.api("mallory");
  const headers = { "nacre-user": "alice", "nacre-scopes": "contexts:read contexts:write secrets:reveal admin" };
  assert.equal((await mallory.get("/v1/contexts/project/p", headers)).status, 404);
  const weak = worker.api("alice", { scope: "contexts:read" });
  assert.equal((await weak.put("/v1/contexts/project/p", { data: {} }, headers)).status, 403);
});

test("another user's store reads as if there were nothing", async () => {
  const mallory = worker.api("mallory");
  const alices = { "nacre-owner": "alice" };
  const nobodys = { "nacre-owner": "nobody-at-all" };
  const MERGE = { "content-type": "application/merge-patch+json" };
  const requests = [
    (headers) => mallory.get("/v1/contexts/project/p", headers),
    (headers) => mallory.get("/v1/contexts/project/q", headers),
    (headers) => mallory.get("/v1/contexts/project/p/resolved", headers),
    (headers) => mallory.get("/v1/contexts/project/p/history", headers),
    (headers) => mallory.get("/v1/contexts", headers),
    (headers) => mallory.get("/v1/contexts?under=project/p", headers),
    (headers) => mallory.get("/v1/audit", headers),
    (headers) => mallory.get("/v1/members", headers),
    (headers) => mallory.get("/v1/export", headers),
    (headers) => mallory.put("/v1/contexts/project/p", { data: {} }, headers),
    (headers) => mallory.put("/v1/contexts/project/new", { data: {} }, headers),
    (headers) => mallory.put("/v1/contexts/project/p", { data: {} }, { ...headers, "if-match": '"v1"' }),
    (headers) => mallory.patch("/v1/contexts/project/p", {}, { ...headers, ...MERGE }),
    (headers) => mallory.delete("/v1/contexts/project/p", headers),
    (headers) => mallory.post("/v1/contexts/project/p/restore", undefined, headers),
    (headers) => mallory.post("/v1/contexts/project/p/preview", { patch: {} }, headers),
    (headers) =>
      mallory.post("/v1/batch", { operations: [{ action: "get", level: "project", context_id: "p" }] }, headers),
    (headers) => mallory.put("/v1/members/mallory", { project: "p", role: "writer" }, headers),
  ];
  for (const [index, request] of requests.entries()) {
    const [there, nowhere] = [await request(alices), await request(nobodys)];
    const shown = ({ status, body, headers }) => ({
      status,
      body: { ...body },
      headers: [...headers].filter(([name]) => !["x-request-id", "date", "content-length"].includes(name)),
    });
    assert.deepEqual(shown(there), shown(nowhere), `request ${index}: ${request}`);
    assert.ok([403, 404].includes(there.status), `request ${index}: ${there.status} ${there.text}`);
  }
  const { body } = await worker.api("alice").get("/v1/contexts/project/p");
  assert.deepEqual([body.version, body.data], [1, { of: "alice" }]);
});

test("a member sees the shared project, and nothing beside it", async () => {
  const alice = worker.api("alice");
  await alice.put("/v1/contexts/project/shared", { data: { of: "all" } });
  await alice.put("/v1/contexts/branch/sb", { parent: "shared", data: {} });
  await alice.put("/v1/contexts/branch/pb", { parent: "p", data: {} });
  assert.ok((await alice.put("/v1/members/bob", { project: "shared", role: "reader" })).status < 300);
  const bob = worker.api("bob");
  const of = { "nacre-owner": "alice" };
  const status = async (answer) => (await answer).status;
  assert.equal(await status(bob.get("/v1/contexts/project/shared", of)), 200);
  assert.equal(await status(bob.get("/v1/contexts/branch/sb/resolved", of)), 200);
  assert.equal(await status(bob.get("/v1/contexts/project/p", of)), 404);
  assert.equal(await status(bob.get("/v1/contexts/branch/pb", of)), 404);
  assert.equal(await status(bob.get("/v1/contexts/branch/pb/resolved", of)), 404);
  const listed = await bob.get("/v1/contexts", of);
  assert.ok(
    listed.body.items.every(({ id }) => ["shared", "sb"].includes(id)),
    listed.text,
  );
  assert.ok([403, 404].includes(await status(bob.put("/v1/contexts/project/shared", { data: {} }, of))));
  assert.ok([403, 404].includes(await status(bob.post("/v1/contexts/branch/pb/move", { parent: "shared" }, of))));
  assert.ok([403, 404].includes(await status(bob.get("/v1/export", of))));
  assert.ok([403, 404].includes(await status(bob.get("/v1/audit", of))));
  await alice.delete("/v1/members/bob?project=shared");
});

test("an issuer's keys: its own algorithms, never its public key as a secret", async () => {
  const pairs = {
    EdDSA: generateKeyPairSync("ed25519"),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };
  const keys = Object.entries(pairs).map(([alg, { publicKey }]) => ({
    ...publicKey.export({ format: "jwk" }),
    kid: alg,
    alg,
  }));
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/jwks.json`;
  const [aud, iss] = ["nacre", "https://issuer.example"];
  const issued = { NACRE_JWKS_URL: url, NACRE_JWT_AUDIENCE: aud, NACRE_JWT_ISSUER: iss };
  const other = await start({ vars: { NACRE_JWT_SECRET: undefined, ...issued } });
  try {
    const jwt = (alg, key, claims = {}, header = {}) => {
      const text = [
        { alg, kid: alg, ...header },
        { sub: "alice", aud, iss, exp: NOW + 600, ...claims },
      ]
        .map(encode)
        .join(".");
      const hash = alg === "EdDSA" ? null : "sha256";
      return `${text}.${sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
    };
    const get = (bearer) => client(other.url, bearer).get("/v1/contexts");
    for (const [alg, { privateKey, publicKey }] of Object.entries(pairs)) {
      const answer = await get(jwt(alg, privateKey));
      assert.equal(answer.status, 200, `${alg}: ${answer.text}`);
      const refuse = async (bearer, why) => {
        const { status } = await get(bearer);
        assert.equal(status, 401, `${alg}: ${why}`);
      };
      await refuse(jwt(alg, privateKey, { exp: NOW - 120 }), "expired");
      await refuse(jwt(alg, privateKey, {}, { kid: "unknown" }), "an unknown key");
      for (const another of Object.keys(pairs)) {
        if (another !== alg) await refuse(jwt(alg, privateKey, {}, { kid: another }), `under ${another}'s name`);
        if (another !== alg) await refuse(jwt(alg, privateKey, {}, { alg: another }), `as ${another}`);
      }
      // The classic: what everybody may know, used as the secret of an HMAC.
      for (const format of ["pem", "der", "jwk"]) {
        const exported = publicKey.export({ format, ...(format !== "jwk" && { type: "spki" }) });
        const secret = format === "jwk" ? JSON.stringify(exported) : exported;
        const text = [
          { alg: "HS256", kid: alg },
          { sub: "alice", exp: NOW + 600 },
        ]
          .map(encode)
          .join(".");
        const proof = createHmac("sha256", secret).update(text).digest("base64url");
        await refuse(`${text}.${proof}`, `its public key (${format}) as a secret`);
      }
      const text = jwt(alg, privateKey).split(".");
      await refuse(`${text[0]}.${text[1]}.`, "no signature");
      await refuse(`${encode({ alg: "none" })}.${text[1]}.`, "alg none");
    }
    await get(token({ sub: "alice" }, worker.secret)).then(({ status }) => assert.equal(status, 401));
  } finally {
    await other.stop();
    server.close();
  }
});

test("without its settings a deployment answers nothing but that", async () => {
  for (const vars of [
    { NACRE_JWT_SECRET: undefined },
    { NACRE_MASTER_KEYS: undefined },
    { NACRE_MASTER_KEYS: "" },
    { NACRE_MASTER_KEYS: "m1:dG9vIHNob3J0" },
    { NACRE_JWT_SECRET: "short" },
  ]) {
    const broken = await start({ vars });
    try {
      const bearer = token({ sub: "alice" }, worker.secret);
      const answer = await client(broken.url, bearer).get("/v1/contexts");
      assert.equal(answer.status, 500, JSON.stringify(vars));
      assert.match(answer.body.detail, /NACRE_/);
      const secrets = Object.values(vars).filter(Boolean);
      for (const secret of secrets) assert.ok(!answer.text.includes(secret), "no setting is quoted");
    } finally {
      await broken.stop();
    }
  }
});
