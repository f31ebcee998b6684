// Who is asking. A token comes in the address's fragment, which no server ever sees, or is pasted;
// it stays in this tab's session and nowhere else.

const KEY = "nacre.token";

/** The token of this tab, if it has one; takes it out of the address bar. */
export function token(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** Takes a pasted token, of `whom` if that is said; says what is wrong with it, if anything is. */
export function signIn(pasted: string, whom?: string): string | undefined {
  const text = pasted.trim().replace(/^Bearer\s+/i, "");
  const claims = claimsOf(text);
  if (!claims) return "This is no token: it has three parts, with dots between them.";
  if (typeof claims.exp === "number" && claims.exp * 1000 < Date.now()) {
    return "This token has expired.";
  }
  if (whom !== undefined && claims.sub !== whom) {
    return `This token is not ${whom}'s: sign out to use it.`;
  }
  sessionStorage.setItem(KEY, text);
  return undefined;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
}

/** What a token says itself: for showing, never for deciding. */
function claimsOf(text: string): { sub?: unknown; exp?: unknown } | undefined {
  const [, payload, ...rest] = text.split(".");
  if (!payload || rest.length !== 1) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as object;
  } catch {
    return undefined;
  }
}
