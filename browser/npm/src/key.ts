// Idempotency keys: names that nobody else gives.

/** A name of 128 random bits. `crypto.randomUUID` is missing on origins without TLS. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
