// The entry: gets a token, opens a replica, then shows the page.

import { type Replica, init, open } from "@nacre/context";
import module from "@nacre/context/nacre_bg.wasm";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { App } from "./app";
import { visible } from "./characters";
import { dropDrafts, readDrafts } from "./drafts";
import { Fault } from "./parts";
import { signIn, signOut, takeLink, token } from "./token";
import { SignIn } from "./sign-in";

function Page() {
  const [offer, setOffer] = useState(takeLink);
  const [bearer, setBearer] = useState(token);
  const [replica, setReplica] = useState<Replica>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!bearer) return;
    let wanted = true;
    const opening = init(module).then(() => open({ url: location.origin, token: () => token() ?? "" }));
    opening.then(
      (opened) => {
        if (!wanted) return void opened.close();
        opened.on("close", left); // also when another tab signs out, and erases the copy
        setReplica(opened);
      },
      (error: unknown) => wanted && setError(error),
    );
    return () => {
      wanted = false;
    };
  }, [bearer]);

  // Opening a link with a token in the same tab changes only the fragment.
  useEffect(() => {
    const take = () => new URLSearchParams(location.hash.slice(1)).has("token") && location.reload();
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);

  const left = () => {
    signOut();
    setReplica(undefined);
    setError(undefined);
    setBearer(undefined);
  };
  const leave = () => {
    dropDrafts();
    left();
  };
  if (offer && bearer) {
    const take = async () => {
      await replica?.erase();
      leave();
      signIn(offer.token);
      setOffer(undefined);
      setBearer(token());
    };
    const unsent = replica ? replica.status.queued + replica.status.refused : 0;
    return (
      <main class="alone">
        <h1>Sign in as {visible(offer.whose)}?</h1>
        <p>
          This link is for {visible(offer.whose)}, and {visible(offer.instead)} is signed in here. Going on signs{" "}
          {visible(offer.instead)} out, and removes the copy on this device
          {unsent > 0 ? `, with ${unsent} writes that the server does not have` : ""}.
        </p>
        <div class="row">
          <button type="button" class="button main" onClick={() => setOffer(undefined)}>
            Stay signed in
          </button>
          <button type="button" class="button danger" disabled={!replica && error === undefined} onClick={take}>
            Sign in as {visible(offer.whose)}
          </button>
        </div>
      </main>
    );
  }
  if (!bearer) return <SignIn onToken={() => setBearer(token())} />;
  if (replica) return <App replica={replica} onLeave={leave} />;
  if (error !== undefined) {
    return (
      <main class="alone">
        <h1>Nacre</h1>
        <Fault error={error} />
        <div class="row">
          <button type="button" class="button main" onClick={() => location.reload()}>
            Try again
          </button>
          <button type="button" class="button" onClick={leave}>
            Use another token
          </button>
        </div>
      </main>
    );
  }
  return (
    <main class="alone" aria-busy="true">
      <p class="quiet">Opening your contexts …</p>
    </main>
  );
}

/** The service worker lets the page open offline; the page also works without it. */
function keepForOffline() {
  if (!("serviceWorker" in navigator)) return;
  const address = "/offline.js";
  const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("nacre", {
    createScriptURL: (url) => url,
  });
  const allowed = policy?.createScriptURL(address) ?? address;
  navigator.serviceWorker.register(allowed as string).catch((error: unknown) => {
    console.warn("This page will not open without a network:", error);
  });
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): unknown };
}

const place = document.getElementById("page");
void readDrafts().then(() => place && render(<Page />, place));
keepForOffline();
