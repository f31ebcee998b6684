// A network that goes wrong at random, between replicas and the server: it refuses, delays, loses,
// closes, says that tokens have expired and that it is asked too often, and answers in the server's
// place. It serves the files of a page as well, so that a page needs no other origin.
//
// Devices reach the server by paths of their own (`/tabs/v1/…`), so that what befalls one does not
// depend on the other. The same seed gives the same row of faults for a device; which request meets
// which depends on what comes first.

import { createServer, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { diced } from "./dice.mjs";

const HTML = { "content-type": "text/html" };
const PAGE = "<!doctype html><title>Sign in</title>";
const problem = (status, code, more) => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: JSON.stringify({ type: `urn:nacre:error:${code}`, title: code, code, status, detail: "by chance", ...more }),
});

/** What a server says about one operation of a batch. */
const REJECTIONS = [
  [404, "not-found"],
  [404, "parent-not-found"],
  [409, "locked"],
  [409, "has-children"],
  [409, "already-exists"],
  [409, "merge-conflict"],
  [412, "version-conflict"],
  [413, "too-large"],
  [413, "too-deep"],
  [422, "invalid-rules"],
];

/** What may befall a request, whatever it asks. Each is given the exchange and dice to throw. */
const OF_REQUESTS = {
  lost: (exchange) => exchange.cut(),
  unanswered: (exchange) => exchange.pass().then(() => exchange.cut()),
  "cut short": (exchange) => exchange.pass().then((answer) => exchange.answerHalf(answer)),
  async slow(exchange, dice) {
    await pause(dice(60));
    // What nobody waits for any more is not carried out late.
    if (exchange.isCut()) return exchange.cut();
    const answer = await exchange.pass();
    await pause(dice(60));
    exchange.answer(answer);
  },
  async held(exchange, dice) {
    const isLost = dice(2) === 0;
    await exchange.isWell();
    if (isLost || exchange.isCut()) return exchange.cut();
    exchange.answer(await exchange.pass());
  },
  limited: (exchange, dice) =>
    exchange.answer({
      ...problem(429, "rate-limited"),
      headers: { "retry-after": String(1 + dice(30)), "content-type": "application/problem+json" },
    }),
  overloaded: (exchange) => exchange.answer(problem(503, "store-unavailable")),
  "bad gateway": (exchange, dice) =>
    exchange.answer({ status: [200, 502, 503, 403][dice(4)], headers: HTML, body: PAGE }),
  expired: (exchange) => exchange.answer(problem(401, "unauthenticated")),
};

/** What may befall a batch. A server that has stored a write does not refuse it as such. */
const OF_BATCHES = {
  rejected: (exchange, dice) => {
    if (exchange.isReached()) return exchange.pass().then(exchange.answer);
    const [status, code] = REJECTIONS[dice(REJECTIONS.length)];
    exchange.answer(problem(status, code, { failed_operation: dice(exchange.keys.length) }));
  },
  "too large": (exchange) => {
    if (exchange.isReached()) return exchange.pass().then(exchange.answer);
    exchange.answer({ status: 413, headers: HTML, body: PAGE });
  },
  // A permission may be withdrawn after a write was stored: then nobody can say what became of it.
  denied: (exchange, dice) => {
    if (exchange.isReached()) exchange.doubt();
    exchange.answer(dice(2) ? problem(403, "forbidden") : problem(404, "not-found"));
  },
};

/** What may befall an upgrade to a WebSocket. */
const OF_UPGRADES = {
  dropped: (upgrade) => upgrade.cut(),
  async "slow upgrade"(upgrade, dice) {
    await pause(dice(100));
    upgrade.pass();
  },
  async "held upgrade"(upgrade, dice) {
    const isLost = dice(2) === 0;
    await upgrade.isWell();
    if (isLost) upgrade.cut();
    else upgrade.pass();
  },
  "refused upgrade": (upgrade, dice) =>
    upgrade.refuse(["401 Unauthorized", "429 Too Many Requests", "503 Service Unavailable"][dice(3)]),
};

/** What may befall an open socket, when the server says something. */
const OF_SOCKETS = {
  torn: (socket) => socket.cut(),
  "torn afterwards": (socket, _, frame) => (socket.say(frame), socket.cut()),
  closed: (socket) => socket.close(1012),
  "token expired": (socket) => socket.close(4401),
  silent: (socket, dice, frame) => socket.hold(frame, dice(2) === 0),
};

/** The parts of a row that are chosen, at least one. */
function some(names, dice) {
  const chosen = names.filter(() => dice(3) === 0);
  return chosen.length > 0 ? chosen : [names[dice(names.length)]];
}

/** A network to a server. `site` is the address of what else a page loads; nothing befalls that. */
export async function faultyNetwork(target, site) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  let [isWell, weather, note, reached, doubtful] = [true, {}, () => {}, new Map(), new Set()];
  let healed = Promise.resolve();
  let heal = () => {};

  /** A fault of one of the tables, to be called with what it befalls; or none. */
  function fate(device, tables, what, rarity = 1) {
    const here = weather[device];
    if (isWell || !here || here.dice(here.rarity * rarity) > 0) return undefined;
    const names = tables.flatMap((table) => Object.keys(table)).filter((name) => here.names.includes(name));
    if (names.length === 0) return undefined;
    const name = names[here.dice(names.length)];
    note(device, `${what}: ${name}`);
    const act = Object.assign({}, ...tables)[name];
    return (befallen, frame) => act(befallen, here.dice, frame);
  }

  const server = createServer((asked, answered) => {
    const [, device, path] = /^\/(tabs|node)(\/v1\/.*)$/.exec(asked.url) ?? [];
    if (!path) {
      request(new URL(asked.url, site), (answer) => {
        answered.writeHead(answer.statusCode, answer.headers);
        answer.pipe(answered);
      }).end();
      return;
    }
    const parts = [];
    asked.on("data", (part) => parts.push(part));
    asked.on("end", () => {
      const body = Buffer.concat(parts);
      const isBatch = path === "/v1/batch";
      const keys = isBatch ? JSON.parse(body).operations.map((operation) => operation.idempotency_key) : [];
      const exchange = {
        keys,
        isWell: () => healed,
        isCut: () => asked.socket.destroyed,
        isReached: () => keys.some((key) => reached.get(key) > 0),
        doubt: () => keys.forEach((key) => reached.get(key) > 0 && doubtful.add(key)),
        cut: () => asked.socket.destroy(),
        pass: () => pass(path, asked, body, keys),
        answer: ({ status, headers, body }) => answered.writeHead(status, headers).end(body),
        answerHalf({ status, headers, body }) {
          answered.writeHead(status, { ...headers, "content-length": body.length + 1 });
          answered.write(body.subarray(0, body.length / 2), () => asked.socket.destroy());
        },
      };
      const befalls = fate(device, isBatch ? [OF_REQUESTS, OF_BATCHES] : [OF_REQUESTS], `${asked.method} ${path}`);
      const done = befalls ? befalls(exchange) : exchange.pass().then(exchange.answer);
      done?.catch?.(exchange.cut);
    });
  });

  /** Hands a request on, and gives the answer once it is here as a whole. */
  function pass(path, { method, headers }, body, keys) {
    // A key counts as reached by each request that is under way or has stored it.
    const seen = reached;
    const count = (key, by) => seen.set(key, (seen.get(key) ?? 0) + by);
    for (const key of keys) count(key, 1);
    return new Promise((resolve, reject) => {
      const on = request({ hostname, port, path, method, headers }, async (answer) => {
        const parts = await answer.toArray().catch(reject);
        if (!parts) return;
        const { statusCode: status, headers } = answer;
        // Refused by the server itself: nothing of this request is stored.
        if (status >= 400) for (const key of keys) count(key, -1);
        delete headers["transfer-encoding"];
        resolve({ status, headers, body: Buffer.concat(parts) });
      });
      on.on("error", reject);
      on.end(body);
    });
  }

  server.on("upgrade", (asked, socket, head) => {
    socket.on("error", () => {});
    const [, device, path] = /^\/(tabs|node)(\/v1\/.*)$/.exec(asked.url) ?? [];
    const upgrade = {
      isWell: () => healed,
      cut: () => socket.destroy(),
      refuse: (status) => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
      pass: () => passUpgrade(device, path, asked, socket, head),
    };
    const befalls = fate(device, [OF_UPGRADES], "upgrade");
    if (befalls) befalls(upgrade);
    else upgrade.pass();
  });

  function passUpgrade(device, path, asked, socket, head) {
    if (socket.destroyed) return;
    const on = connect(port, hostname, () => {
      const lines = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`);
      on.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      on.write(head);
    });
    const held = [];
    let end;
    const open = {
      cut: () => (socket.destroy(), on.destroy()),
      say: (bytes) => (end ? held.push(() => socket.write(bytes)) : socket.write(bytes)),
      close(code) {
        socket.end(Buffer.from([0x88, 2, code >> 8, code & 0xff]));
        on.destroy();
      },
      /** Carries nothing until the network is well; then it is lost, or all comes late. */
      hold(frame, isLost) {
        end ??= isLost ? open.cut : () => ((end = undefined), held.splice(0).forEach((late) => late()));
        open.say(frame);
      },
      release: () => end?.(),
    };
    sockets.add(open);
    socket.on("data", (bytes) => (end ? held.push(() => on.write(bytes)) : on.write(bytes)));
    on.on(
      "data",
      framed(open.say, (frame) => {
        const befalls = fate(device, [OF_SOCKETS], "socket", 4);
        if (befalls) befalls(open, frame);
        else open.say(frame);
      }),
    );
    on.on("error", () => {});
    on.on("close", () => socket.end()); // what the server said last still arrives
    socket.on("close", () => (on.destroy(), sockets.delete(open)));
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Goes wrong from now on, as the seed says. `noted` is called with every fault. */
    worsen(seed, noted) {
      [isWell, note, reached, doubtful] = [false, noted, new Map(), new Set()];
      healed = new Promise((resolve) => (heal = resolve));
      const dice = diced(seed);
      const tables = [OF_REQUESTS, OF_BATCHES, OF_UPGRADES, OF_SOCKETS];
      const names = tables.flatMap((table) => some(Object.keys(table), dice));
      const rarity = 2 + dice(5);
      weather = {};
      for (const device of ["tabs", "node"]) weather[device] = { names, rarity, dice: diced(dice(2 ** 31)) };
    },
    /** Is well from now on: what was held comes late, or is lost. */
    heal() {
      isWell = true;
      heal();
      for (const socket of sockets) socket.release();
    },
    /** Keys of writes that were refused although the server may have stored them. */
    doubtful: () => doubtful,
    close: () => (sockets.forEach((socket) => socket.cut()), server.closeAllConnections(), server.close()),
  };
}

/** Hands on a socket's answer to an upgrade with `opening`, then every frame (RFC 6455) by itself. */
function framed(opening, push) {
  let [held, isOpen] = [Buffer.alloc(0), false];
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    if (!isOpen) {
      const end = held.indexOf("\r\n\r\n") + 4;
      if (end < 4) return;
      isOpen = true;
      opening(held.subarray(0, end));
      held = held.subarray(end);
    }
    while (held.length >= 2) {
      const short = held[1] & 0x7f;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (held.length < head) return;
      const body = head === 10 ? Number(held.readBigUInt64BE(2)) : head === 4 ? held.readUInt16BE(2) : short;
      if (held.length < head + body) return;
      push(held.subarray(0, head + body));
      held = held.subarray(head + body);
    }
  };
}
