// The entry: gets a token, opens a replica, then shows the page.

import { type Replica, init, open } from "@nacre/context";
import module from "@nacre/context/nacre_bg.wasm";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { App } from "./app";
import { dropDrafts, readDrafts } from "./drafts";
import { later } from "./later";
import { Fault } from "./parts";
import { signIn, signOut, takeLink, token } from "./token";

const SignIn = later(() => import("./user").then((room) => room.SignIn));
const Takeover = later(() => import("./user").then((room) => room.Takeover));

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
    return (
      <Takeover
        {...offer}
        replica={replica}
        failed={error !== undefined}
        onStay={() => setOffer(undefined)}
        onTake={take}
      />
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
