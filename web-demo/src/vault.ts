// Encrypts drafts that the tab keeps: a secret that was just typed must not stand in its storage in the
// clear. The key cannot be exported; without WebCrypto or IndexedDB there is none.

const NAME = "AES-GCM";

let key: Promise<CryptoKey | undefined> | undefined;

/** The key of this device's drafts, made by the first tab. */
const held = () => (key ??= made().catch(() => undefined));

async function made(): Promise<CryptoKey> {
  const fresh = await crypto.subtle.generateKey({ name: NAME, length: 256 }, false, ["encrypt", "decrypt"]);
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("nacre.drafts", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("key").put(fresh, 0);
    opening.onerror = reject;
    opening.onsuccess = () => {
      const asked = opening.result.transaction("key").objectStore("key").get(0);
      asked.onsuccess = () => resolve(asked.result as CryptoKey);
      asked.onerror = reject;
    };
  });
}

/** Text as letters of one byte each; `undefined` where there is no key. */
export async function seal(text: string): Promise<string | undefined> {
  const key = await held();
  if (!key) return undefined;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: NAME, iv }, key, new TextEncoder().encode(text));
  let letters = "";
  for (const byte of [...iv, ...new Uint8Array(sealed)]) letters += String.fromCharCode(byte);
  return letters;
}

/** The text again; fails for anything that was not sealed on this device. */
export async function unseal(letters: string): Promise<string> {
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const key = (await held()) as CryptoKey;
  const algorithm = { name: NAME, iv: bytes.subarray(0, 12) };
  return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(12)));
}
