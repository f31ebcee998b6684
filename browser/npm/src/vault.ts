// Encrypts what waits to be sent: it may hold secrets that the server has not sealed yet.
//
// The key is made in the host's WebCrypto and cannot be exported; IndexedDB keeps it beside the
// entries. Where there is no WebCrypto (an origin without TLS), entries stay as they are.

/** The first letters of entries that may hold secrets: queue, flight, conflicts. */
const SECRET = "qfc";
const NAME = "AES-GCM";

/** A sealed value. Values of an older version are plain bytes. */
type Sealed = [iv: BufferSource, value: BufferSource];

/** A new key; `undefined` where there is no WebCrypto. */
export const newSecretKey = (): Promise<CryptoKey> | undefined =>
  (crypto.subtle as SubtleCrypto | undefined)?.generateKey({ name: NAME, length: 256 }, false, ["encrypt", "decrypt"]);

export async function seal(key: CryptoKey | undefined, name: string, value: Uint8Array): Promise<unknown> {
  if (!key || !SECRET.includes(name.charAt(0))) return value;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return [iv, await crypto.subtle.encrypt({ name: NAME, iv }, key, value as BufferSource)];
}

export async function unseal(key: CryptoKey | undefined, value: unknown): Promise<unknown> {
  if (!key || !Array.isArray(value)) return value;
  const [iv, sealed] = value as Sealed;
  return new Uint8Array(await crypto.subtle.decrypt({ name: NAME, iv }, key, sealed));
}
