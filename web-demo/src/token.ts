// The token of this tab. It comes in the address fragment, which no server sees, or is pasted. It
// is kept in the tab's session storage only.

import { visible } from "./characters";

const KEY = "nacre.token";

/** A token of a link, of another user than the one who is signed in here: it waits for an answer. */
export interface Offer {
  token: string;
  whose: string;
  instead: string;
}

/** Takes the token of a link out of the address bar. It signs in, unless another user is signed in. */
export function takeLink(): Offer | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  const [whose, instead] = [given, token() ?? given].map((text) => String(claimsOf(text)?.sub)) as [string, string];
  if (whose !== instead) return { token: given, whose, instead };
  sessionStorage.setItem(KEY, given);
  return undefined;
}

/** The token of this tab, if there is one. */
export const token = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;

/** Takes a pasted token, which must be of the user `whom` if given. Returns an error text, or nothing. */
export function signIn(pasted: string, whom?: string): string | undefined {
  const text = pasted.trim().replace(/^Bearer\s+/i, "");
  const claims = claimsOf(text);
  if (!claims) return "This is no token: it has three parts, with dots between them.";
  if (typeof claims.exp === "number" && claims.exp * 1000 < Date.now()) {
    return "This token has expired.";
  }
  if (whom !== undefined && claims.sub !== whom) {
    return `This token is not ${visible(whom)}'s: sign out to use it.`;
  }
  sessionStorage.setItem(KEY, text);
  return undefined;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
}

/**
 * Whether the token's scope lets it write; without a claim `scope` or `scp` a token reads and writes. This only
 * decides which controls show: the server decides what is written.
 */
export function mayWrite(): boolean {
  const { scope, scp } = claimsOf(sessionStorage.getItem(KEY) ?? "") ?? {};
  const given = scope ?? scp; // some issuers name it so, and make it a list
  if (given === undefined) return true;
  const names = typeof given === "string" ? given.split(" ") : Array.isArray(given) ? given : [];
  return names.includes("contexts:write") || names.includes("admin");
}

/** The claims of a token: for display only, never for decisions. */
function claimsOf(text: string): { sub?: unknown; exp?: unknown; scope?: unknown; scp?: unknown } | undefined {
  const [, payload, ...rest] = text.split(".");
  if (!payload || rest.length !== 1) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as object;
  } catch {
    return undefined;
  }
}
