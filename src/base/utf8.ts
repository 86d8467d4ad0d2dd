/**
 * Text that comes from outside, as UTF-8. What is none is refused: replacement characters in its place would be another
 * text, without a word.
 *
 * @module
 */
import { KvbenchError } from "./errors.ts";

/**
 * Decodes text; a byte order mark at its beginning is left out.
 *
 * @param name Of where it comes from, for the error.
 * @throws {KvbenchError} If it is not UTF-8, with the place of the first byte that is not.
 */
export function decodeUtf8(bytes: Uint8Array, name: string | URL): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new KvbenchError(
      `${name} is not UTF-8 from byte ${
        validBytes(bytes)
      } on: expected UTF-8 text, convert it, for example with iconv`,
    );
  }
}

/** How many leading bytes are valid: where what a lossy decoder makes of them encodes to something else. */
function validBytes(bytes: Uint8Array): number {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const again = new TextEncoder().encode(text);
  let same = 0;
  while (same < bytes.length && bytes[same] === again[same]) same++;
  // A character that breaks off can share bytes with the replacement character.
  while (!isValid(bytes.subarray(0, same))) same--;
  return same;
}

function isValid(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
