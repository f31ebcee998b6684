// The service worker: caches the page itself, so that it opens offline. The replica keeps the data;
// requests under /v1/ never pass through here.

/** The files of the page, those of them that are kept when they are first asked for, and a name for
 * this build. The build fills them in. */
declare const SHELL: string[];
declare const LATER: string[];
declare const EDITION: string;

interface Lifetime extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching extends Lifetime {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const cacheName = `nacre-${EDITION}`;
const scope = self as unknown as EventTarget & {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};

scope.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(cacheName);
    await cache.addAll(SHELL);
    await scope.skipWaiting();
  };
  (event as Lifetime).waitUntil(keep());
});

scope.addEventListener("activate", (event) => {
  const drop = async () => {
    const others = (await caches.keys()).filter((name) => name.startsWith("nacre-") && name !== cacheName);
    await Promise.all(others.map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  (event as Lifetime).waitUntil(drop());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (SHELL.includes(pathname)) (event as Fetching).respondWith(answer(request, pathname));
  else if (LATER.includes(pathname)) (event as Fetching).respondWith(answerAndKeep(request, pathname));
});

/** The page comes from the network if possible; its parts, which never change, from the cache. */
async function answer(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(pathname);
  if (kept && pathname.startsWith("/assets/")) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** What only a search needs is kept from the first search on, so that the next one needs no network. */
async function answerAndKeep(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(pathname);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(pathname, response.clone()).catch(() => {}); // no room
  return response;
}
