// A stream of events whose frames come over a socket of the object.

/** How often a silent stream says that it is there, in milliseconds. */
const QUIET = 15_000;

/** Answered by the platform without waking the object: the sign that the client still reads. */
const PING = '{"type":"ping"}';

/**
 * Opens a socket to the object of `owner` as the caller of `authorization`. Returns the socket, or the
 * response of an object that refuses.
 */
export async function open(users, owner, request, authorization, session) {
  const headers = { authorization, upgrade: "websocket" };
  if (session) headers["nacre-session"] = session;
  const answer = await users.getByName(owner).fetch(new URL("/v1/live", request.url), { headers });
  return answer.webSocket ?? answer;
}

/**
 * The response with the stream. `frames` go to the object first; `hear` makes events of each frame that
 * comes back; `farewell` are the events after the last one.
 */
export function hold(socket, headers, frames, greeting, hear, farewell) {
  const encoder = new TextEncoder();
  let quiet;
  const close = () => {
    clearInterval(quiet);
    socket.close(1000, "the stream has ended");
  };
  const body = new ReadableStream({
    start(controller) {
      const say = (events) => {
        if (events) controller.enqueue(encoder.encode(events));
      };
      const end = () => {
        clearInterval(quiet);
        try {
          say(farewell);
          controller.close();
        } catch {
          // The client has gone first.
        }
      };
      socket.addEventListener("message", ({ data }) => say(hear(data)));
      socket.addEventListener("close", end);
      socket.addEventListener("error", end);
      socket.accept();
      for (const frame of frames) socket.send(frame);
      say(greeting);
      quiet = setInterval(() => {
        say(": still here\n\n");
        socket.send(PING);
      }, QUIET);
    },
    cancel: close,
  });
  const named = new Headers();
  const lines = headers.split("\n");
  for (let n = 1; n < lines.length; n += 2) named.set(lines[n - 1], lines[n]);
  return new Response(body, { headers: named });
}
