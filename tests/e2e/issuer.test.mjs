// Tokens of an issuer, whose RS256 signatures the platform verifies: good ones come in, and every
// signature of the vectors and of Wycheproof is judged as it should be.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { client, root, start } from "./harness.mjs";

// One issuer for each path: `/n` publishes the nth key set.
const sets = [];
const issuer = createServer((request, response) => {
  if (request.url === "/elsewhere") return response.writeHead(302, { location: "/0" }).end();
  if (request.url === "/endless") return void pour(response);
  if (request.url === "/silent") return;
  response.end(JSON.stringify(sets[Number(request.url.slice(1))]));
});
let worker, address;
/** What a deployment with a key set must require. */
const FOR_US = { aud: "nacre", iss: "https://issuer.example" };
before(async () => {
  issuer.listen(0, "127.0.0.1");
  await once(issuer, "listening");
  address = `http://127.0.0.1:${issuer.address().port}`;
  worker = await start({
    vars: {
      NACRE_JWT_SECRET: undefined,
      NACRE_JWKS_URL: `${address}/0`,
      NACRE_JWT_AUDIENCE: FOR_US.aud,
      NACRE_JWT_ISSUER: FOR_US.iss,
    },
  });
});
after(async () => {
  await worker?.stop();
  issuer.close();
});

/** Asks with a token; the status, and why it was refused. */
async function ask(token) {
  const { status, headers } = await client(worker.url, token).get("/v1/contexts");
  const [, why] = /error_description="(.*)"/.exec(headers.get("www-authenticate") ?? "") ?? [];
  return { status, why };
}

const NO_SIGNATURE = "the token's signature is not valid; get a new token";

/** Why a token may be refused whose signature holds. */
const ABOUT_CLAIMS = [
  "the token's claims must be a JSON object with each member once",
  "the token must have an expiry, `exp`",
  "the token has expired",
  "the token's `exp` is too far away; get one that lives shorter",
  "the token is not valid yet: its `nbf` is in the future",
  "the token's `sub` must be a user: 1 to 256 bytes without control characters",
  "the token's `iss` must be the configured issuer",
];

const now = Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function signed(header, privateKey, hash, options = {}) {
  const message = `${encode(header)}.${encode({ ...FOR_US, sub: "alice", exp: now + 600 })}`;
  const signature = sign(hash, message, { key: privateKey, ...options });
  return `${message}.${signature.toString("base64url")}`;
}

const PAIRS = [
  ["r2048", "RS256", "sha256", "rsa", { modulusLength: 2048 }],
  ["r3072", "RS256", "sha256", "rsa", { modulusLength: 3072 }],
  ["r4096", "RS256", "sha256", "rsa", { modulusLength: 4096 }],
  ["e", "ES256", "sha256", "ec", { namedCurve: "P-256" }],
  ["o", "EdDSA", null, "ed25519", {}],
].map(([kid, alg, hash, type, options]) => ({ kid, alg, hash, ...generateKeyPairSync(type, options) }));
sets.push({
  keys: PAIRS.map(({ kid, alg, publicKey }) => ({ kid, alg, ...publicKey.export({ format: "jwk" }) })),
});

for (const { kid, alg, hash, privateKey } of PAIRS) {
  test(`a token signed with ${alg} by the key ${kid} comes in, a changed one does not`, async () => {
    const token = signed({ alg, kid }, privateKey, hash, { dsaEncoding: "ieee-p1363" });
    assert.deepEqual(await ask(token), { status: 200, why: undefined });
    assert.equal((await ask(token)).status, 200, "remembered");
    const [header, , signature] = token.split(".");
    const other = encode({ ...FOR_US, sub: "mallory", exp: now + 600 });
    assert.deepEqual(await ask(`${header}.${other}.${signature}`), { status: 401, why: NO_SIGNATURE });
  });
}

/** Sends and sends, as long as somebody reads. */
async function pour(response) {
  response.on("close", () => (response.isGone = true)).write('{"keys":[');
  while (!response.isGone) {
    if (!response.write(" ".repeat(1 << 16))) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
}

test("a key set that redirects, never ends or never comes opens nothing, and holds up nobody for long", async () => {
  const [{ kid, alg, hash, privateKey }] = PAIRS;
  const token = signed({ alg, kid }, privateKey, hash);
  for (const path of ["elsewhere", "endless", "silent"]) {
    await worker.restart({ NACRE_JWKS_URL: `${address}/${path}` });
    const begun = Date.now();
    const { status, body } = await client(worker.url, token).get("/v1/contexts");
    assert.deepEqual([status, body.code], [503, "store-unavailable"], path);
    assert.ok(Date.now() - begun < 8000, `${path}: ${Date.now() - begun} ms`);
  }
  await worker.restart({ NACRE_JWKS_URL: `${address}/0` });
  assert.equal((await ask(token)).status, 200);
});

test("without an audience and an issuer nothing is answered but that, and it is logged once", async () => {
  await worker.restart({ NACRE_JWT_AUDIENCE: undefined });
  worker.logs.length = 0;
  for (const path of ["/healthz", "/v1/contexts", "/openapi.json"]) {
    const { status, body } = await client(worker.url).get(path);
    assert.equal(status, 500, path);
    assert.match(body.detail, /NACRE_JWKS_URL also needs NACRE_JWT_AUDIENCE and NACRE_JWT_ISSUER/);
  }
  const told = worker.logs.filter(({ message }) => String(message).includes("not configured"));
  assert.equal(told.length, 1, JSON.stringify(told));
  await worker.restart({ NACRE_JWT_AUDIENCE: FOR_US.aud });
});

/** Tokens that only their signature decides about, with the key set they are for. */
function judged() {
  const cases = [];
  const folder = join(root, "tests/vectors/auth");
  for (const file of ["signature", "keys", "rfc"].flatMap((topic) => files(join(folder, topic)))) {
    const { title, trust, token, outcome } = JSON.parse(readFileSync(file));
    const decided = !outcome.refusal || outcome.refusal === "Signature";
    if (trust.jwks && decided && algorithm(token) === "RS256") {
      cases.push({ title, keys: trust.jwks.keys, token, holds: !outcome.refusal });
    }
  }
  assert.equal(cases.length, 26);
  const suite = join(process.env.NACRE_SHARED ?? join(root, "../shared"), "data/vectors/wycheproof-jws.json.gz");
  if (!existsSync(suite)) return cases;
  for (const group of JSON.parse(gunzipSync(readFileSync(suite))).testGroups) {
    const key = typeof group.public === "string" ? JSON.parse(group.public) : group.public;
    if (key?.alg !== "RS256") continue;
    for (const { tcId, comment, jws, result } of group.tests) {
      if (typeof jws === "string" && algorithm(jws) === "RS256") {
        cases.push({ title: `${tcId} ${comment}`, keys: [key], token: jws, holds: result === "valid" });
      }
    }
  }
  return cases;
}

const files = (folder) => readdirSync(folder).map((file) => join(folder, file));

function algorithm(token) {
  const parts = token.split(".");
  try {
    return parts.length === 3 && JSON.parse(Buffer.from(parts[0], "base64url")).alg;
  } catch {
    return undefined;
  }
}

test("the platform judges every RS256 signature as the vectors and Wycheproof say", async () => {
  const bySet = Map.groupBy(judged(), ({ keys }) => JSON.stringify(keys));
  for (const [keys, cases] of bySet) {
    sets.push({ keys: JSON.parse(keys) });
    await worker.restart({ NACRE_JWKS_URL: `${address}/${sets.length - 1}` });
    for (const { title, token, holds } of cases) {
      const { status, why } = await ask(token);
      const passed = status === 200 || ABOUT_CLAIMS.includes(why);
      assert.equal(passed, holds, `${title}: ${status} ${why}`);
    }
  }
});
