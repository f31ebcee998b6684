// The way from the Worker in front to the object behind, as one call from the module.

/**
 * Sends a request to the object of `owner` with another `Authorization`, and with another
 * `Sec-WebSocket-Protocol` if there is one. When the object throws, `lost` makes the answer.
 */
export function forward(users, owner, request, authorization, protocol, lost) {
  const forwarded = new Request(request);
  forwarded.headers.set("authorization", authorization);
  if (protocol) forwarded.headers.set("sec-websocket-protocol", protocol);
  const answer = users.getByName(owner).fetch(forwarded);
  return answer.catch((thrown) => lost(request, thrown));
}
