// Asks the server for what a replica does not hold: who a project is shared with, and what others share.

import { parse } from "./json";
import { token } from "./token";

/** What a request names besides its path. */
export interface Asked {
  /** The owner of the store; the user of the token if none is named. */
  owner?: string;
  body?: unknown;
}

export async function ask<T>(method: string, path: string, { owner, body }: Asked = {}): Promise<T> {
  const headers = new Headers({ authorization: `Bearer ${token() ?? ""}` });
  if (owner !== undefined) headers.set("nacre-owner", owner);
  if (body !== undefined) headers.set("content-type", "application/json");
  const asked = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(path, asked).catch(() => {
    throw new Error("The server cannot be reached. Sharing needs a network: try again when there is one.");
  });
  const text = await answer.text();
  const told = text === "" ? undefined : (parse(text) as unknown);
  if (answer.ok) return told as T;
  const { detail, code } = (told ?? {}) as { detail?: string; code?: string };
  throw Object.assign(new Error(detail ?? `The server answered ${answer.status}.`), { code });
}
