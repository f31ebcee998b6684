// Storage of the device that is denied, fails, is slow, or never answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { setUp } from "./stage.mjs";

const stage = setUp();

/** A page with the package, in which storage can be made to fail. */
async function failing() {
  const someone = await stage.person();
  const page = await someone.context.newPage();
  await page.goto(stage.site.url);
  await page.evaluate(
    async ([url, token]) => {
      const { open } = await import("/package/index.js");
      globalThis.unhandled = [];
      addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
      globalThis.begin = async () => {
        try {
          return (globalThis.replica = await open({ url, token })) && "open";
        } catch (error) {
          return error.code ?? String(error);
        }
      };
      globalThis.instead = (name, act) => {
        const store = IDBObjectStore.prototype;
        const real = store[name];
        store[name] = function (...asked) {
          return act(() => real.apply(this, asked), this, asked);
        };
        return () => (store[name] = real);
      };
    },
    [stage.worker.url, someone.bearer],
  );
  return { ...someone, page };
}

/** Opens a replica in a page or frame: the code of the error, or what the replica shows. */
const openedIn = (frame, url, token, storage) =>
  frame.evaluate(
    async ([base, options]) => {
      const { open, NacreError } = await import(`${base}/package/index.js`);
      try {
        const replica = await open(options);
        const { x } = replica.resolve("project", "p").data;
        await replica.update("project", "p", { y: 1 });
        await replica.synced({ signal: AbortSignal.timeout(10_000) });
        await replica.close();
        return x;
      } catch (error) {
        return error instanceof NacreError ? `${error.code}: ${error.message}` : String(error);
      }
    },
    [stage.site.url, { url, token, ...(storage && { storage }) }],
  );
const DENIED = /^store-unavailable: IndexedDB cannot be used: .*`storage: "memory"`/;

test("a sandboxed frame without storage opens in memory, and says so otherwise", async () => {
  const judy = await stage.person();
  const page = await judy.context.newPage();
  await page.goto(stage.site.url);
  await page.setContent(`<iframe sandbox="allow-scripts" src="${stage.site.url}/"></iframe>`);
  await page.waitForSelector("iframe");
  const frame = page.frames()[1];
  await frame.waitForLoadState();
  assert.match(await openedIn(frame, stage.worker.url, judy.bearer), DENIED);
  assert.equal(await openedIn(frame, stage.worker.url, judy.bearer, "memory"), 1);
  await judy.context.close();
});

for (const [how, deny] of Object.entries({
  "throws where it is asked for": () =>
    Object.defineProperty(globalThis, "indexedDB", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    }),
  "throws when it is opened": () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  },
  "fails when it is opened": () => {
    IDBFactory.prototype.open = () => {
      const request = { error: new DOMException("full", "QuotaExceededError") };
      queueMicrotask(() => request.onerror());
      return request;
    };
  },
  "never answers": () => {
    IDBFactory.prototype.open = () => ({});
  },
  "never lists what it holds": () => {
    IDBFactory.prototype.databases = () => new Promise(() => {});
  },
  "never gives what it holds": () => {
    IDBObjectStore.prototype.getAllKeys = () => ({});
  },
})) {
  test(`storage that ${how} is an error within a bounded time, and is not needed in memory`, async () => {
    const kim = await stage.person();
    const page = await kim.context.newPage();
    await page.goto(stage.site.url);
    await page.evaluate(deny);
    assert.match(await openedIn(page, stage.worker.url, kim.bearer), DENIED);
    assert.equal(await openedIn(page, stage.worker.url, kim.bearer, "memory"), 1);
    await kim.context.close();
  });
}

test("a copy for which there is no room is none", async () => {
  const { page, context } = await failing();
  const code = await page.evaluate(async () => {
    globalThis.room = instead("put", (put, store, [, key]) => {
      const asked = put();
      if (String(key).startsWith("r/")) store.transaction.abort();
      return asked;
    });
    return begin();
  });
  assert.equal(code, "store-unavailable");
  assert.equal(await page.evaluate(async () => (room(), begin())), "open");
  assert.equal(await page.evaluate(() => replica.resolve("project", "p").data.x), 1);
  await context.close();
});

test("who could not open it leads nobody", async () => {
  const { page, context } = await failing();
  const code = await page.evaluate(async () => {
    const again = instead("getAll", () => {
      throw new Error("no disk");
    });
    const said = await begin();
    again();
    return said;
  });
  assert.equal(code, "store-unavailable");
  assert.equal(
    await page.evaluate(() =>
      Promise.race([begin(), new Promise((resolve) => setTimeout(() => resolve("never"), 5000))]),
    ),
    "open",
  );
  await context.close();
});

test("a transaction that is ended from outside is an error of the write alone", async () => {
  const { page, context } = await failing();
  assert.equal(await page.evaluate(() => begin()), "open");
  const code = await page.evaluate(async () => {
    const again = instead("get", (get, store) => {
      Promise.resolve()
        .then(() => store.transaction.abort())
        .catch(() => {});
      return get();
    });
    const said = await replica.update("project", "p", { y: 1 }).catch(({ code }) => code);
    again();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return said;
  });
  assert.equal(code, "store-unavailable");
  assert.deepEqual(await page.evaluate(() => unhandled), []);
  await context.close();
});

test("a connection that was stopped has no part in the next one", async () => {
  const { page, context, data } = await failing();
  assert.equal(await page.evaluate(() => begin()), "open");
  const codes = await page.evaluate(async () => {
    const codes = [];
    replica.on("error", ({ code }) => codes.push(code));
    let slow = false;
    instead("put", (put, store) => {
      const end = Date.now() + 300;
      const spin = () => void (Date.now() < end && (store.get("s").onsuccess = spin));
      if (slow) spin();
      slow = false;
      return put();
    });
    const real = globalThis.fetch;
    let first = true;
    globalThis.fetch = async (...asked) => {
      const answer = await real(...asked);
      if (first && String(asked[0]).includes("/v1/batch")) {
        first = false;
        // The answer has to wait for its turn, and by then there is another connection.
        slow = true;
        replica.update("project", "p", { z: 1 });
        setTimeout(() => ((replica.online = false), (replica.online = true)), 50);
      }
      return answer;
    };
    await replica.update("project", "p", { y: 1 });
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
    await replica.synced({ signal: AbortSignal.timeout(10_000) }); // what was written meanwhile, too
    return codes;
  });
  assert.deepEqual(codes, []);
  assert.deepEqual(await data(), { x: 1, y: 1, z: 1, log: [] });
  await context.close();
});

/** All that IndexedDB holds of the package, as text of one letter a byte, and its keys. */
const inStorage = (page) =>
  page.evaluate(async () => {
    const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const [keys, texts] = [[], []];
    const see = (value) => {
      if (value instanceof CryptoKey) keys.push([value.type, value.extractable]);
      else if (Array.isArray(value)) value.forEach(see);
      else if (typeof value === "string") texts.push(value);
      else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) texts.push(new TextDecoder().decode(value));
    };
    for (const { name } of await indexedDB.databases()) {
      const db = await done(indexedDB.open(name));
      for (const store of db.objectStoreNames)
        (await done(db.transaction(store).objectStore(store).getAll())).forEach(see);
      db.close();
    }
    return { keys, text: texts.join("\n") };
  });

test("a secret that waits to be sent is encrypted, survives a restart, and is sent", async () => {
  const kim = await stage.person();
  const page = await kim.tab();
  await page.evaluate(async () => {
    replica.online = false;
    await replica.update("project", "p", { door_secret: "tulip-4471", plain: "rose-4471" });
    await replica.close();
  });
  const { keys, text } = await inStorage(page);
  assert.deepEqual(keys, [["secret", false]], "a key that cannot be exported");
  assert.ok(!/tulip-4471|rose-4471/.test(text), "nothing of the write is in the clear");
  await page.close();

  const again = await kim.tab();
  const { queued, shown } = await again.evaluate(() => ({
    queued: replica.status.queued,
    shown: replica.get("project", "p").data.plain,
  }));
  assert.deepEqual([queued, shown], [1, "rose-4471"]);
  await again.evaluate(async () => {
    replica.online = true;
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  assert.equal((await kim.data()).plain, "rose-4471");
  const { text: after } = await inStorage(again);
  assert.ok(!after.includes("tulip-4471"), "the copy holds a marker");
  await kim.context.close();
});

test("writes that an older version has kept in the clear are still sent", async () => {
  const lee = await stage.person();
  const page = await lee.tab();
  await page.evaluate(async () => {
    replica.online = false;
    const { encrypt } = SubtleCrypto.prototype;
    const put = IDBObjectStore.prototype.put;
    let plain;
    SubtleCrypto.prototype.encrypt = function (algorithm, key, value) {
      plain = value;
      return encrypt.call(this, algorithm, key, value);
    };
    IDBObjectStore.prototype.put = function (value, key) {
      return put.call(this, Array.isArray(value) ? plain : value, key);
    };
    await replica.update("project", "p", { y: 7 });
    await replica.close();
  });
  assert.match((await inStorage(page)).text, /"y":7/);
  await page.close();
  const again = await lee.tab();
  await again.evaluate(async () => {
    replica.online = true;
    await replica.synced({ signal: AbortSignal.timeout(10_000) });
  });
  assert.equal((await lee.data()).y, 7);
  await lee.context.close();
});
