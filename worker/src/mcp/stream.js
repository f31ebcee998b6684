// A stream of events whose frames come over a socket of the object.

/** How often a silent stream says that it is there, in milliseconds. */
const QUIET = 15_000;

/** Most bytes that wait for a client that does not read. */
const UNREAD = 1 << 20;

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
  let over = false;
  const leave = () => {
    over = true;
    clearInterval(quiet);
    try {
      socket.close(1000, "the stream has ended");
    } catch {
      // It has closed itself.
    }
  };
  const source = {
    start(controller) {
      const end = () => {
        if (over) return;
        leave();
        if (farewell) controller.enqueue(encoder.encode(farewell));
        controller.close();
      };
      const say = (events) => {
        if (over || !events) return;
        // The client does not read.
        if (controller.desiredSize <= 0) return end();
        controller.enqueue(encoder.encode(events));
      };
      socket.addEventListener("message", ({ data }) => say(hear(data)));
      socket.addEventListener("close", end);
      socket.addEventListener("error", end);
      socket.accept();
      for (const frame of frames) socket.send(frame);
      say(greeting);
      quiet = setInterval(() => {
        say(": still here\n\n");
        if (!over) socket.send(PING);
      }, QUIET);
    },
    cancel: leave,
  };
  const body = new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: UNREAD }));
  const named = new Headers();
  const lines = headers.split("\n");
  for (let n = 1; n < lines.length; n += 2) named.set(lines[n - 1], lines[n]);
  return new Response(body, { headers: named });
}
