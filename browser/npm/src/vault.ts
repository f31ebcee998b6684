// Encrypts what waits to be sent: it may hold secrets that the server has not sealed yet.
//
// The key is made by the host's WebCrypto and cannot be exported; IndexedDB keeps it beside the
// entries. Where there is no WebCrypto (an origin without TLS), entries stay as they are.

const algorithm = (iv?: Uint8Array<ArrayBuffer>) => ({ name: "AES-GCM", length: 256, iv: iv as BufferSource });

/** A new key; `undefined` where there is no WebCrypto. */
export const newKeyOfQueue = (): Promise<CryptoKey> | undefined =>
  (crypto.subtle as SubtleCrypto | undefined)?.generateKey(algorithm(), false, ["encrypt", "decrypt"]);

/** Encrypts an entry if its name says that it may hold secrets: queue (`q/`), flight, conflicts (`c/`). */
export async function seal(key: CryptoKey | undefined, name: string, value?: Uint8Array): Promise<unknown> {
  if (!key || !value || !/^[qfc]/.test(name)) return value;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return [iv, await crypto.subtle.encrypt(algorithm(iv), key, value as BufferSource)];
}

/** Opens a sealed value. An older version has kept plain bytes. */
export const unseal = async (key: CryptoKey | undefined, value: unknown): Promise<unknown> =>
  Array.isArray(value)
    ? new Uint8Array(await crypto.subtle.decrypt(algorithm(value[0]), key as CryptoKey, value[1]))
    : value;
