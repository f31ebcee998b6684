// Requests and responses as text: one call from the module instead of one for each header.

/** Method, URL, and name and value of each header, a line each. No part can hold a line break. */
export function head(request) {
  let text = `${request.method}\n${request.url}`;
  for (const [name, value] of request.headers) text += `\n${name}\n${value}`;
  return text;
}

/**
 * A response. `headers` has a line for each name and each value. `body` is null or a view of the
 * module's memory, which changes after the call.
 */
export function respond(status, headers, body) {
  const named = new Headers();
  const lines = headers.split("\n");
  for (let n = 1; n < lines.length; n += 2) named.set(lines[n - 1], lines[n]);
  return new Response(body && body.slice(), { status, headers: named });
}
