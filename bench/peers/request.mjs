// Single requests over a connection that is kept alive, and how long each took.

import http from "node:http";

export const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/** One request: `{status, headers, text, nanos}`. The time ends when the body is read to its end. */
export function send(method, url, headers = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const request = http.request(url, { method, headers, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const nanos = Number(process.hrtime.bigint() - start);
        const text = Buffer.concat(parts).toString();
        resolve({ status: response.statusCode, headers: response.headers, text, nanos });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The same, for one that must be granted. */
export async function ask(method, url, headers, body) {
  const answer = await send(method, url, headers, body);
  if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.text}`);
  return answer;
}

export const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
