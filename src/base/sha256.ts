/** SHA-256 of bytes in memory, by the runtime's own crypto. */

/** Hashes bytes, and returns the hash in hex. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
