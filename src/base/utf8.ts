/**
 * Decoding of text from outside, as UTF-8. Other bytes are refused, because replacement characters would silently change
 * the text.
 */
import { KvbenchError } from "./errors.ts";

/**
 * Decodes text without its byte order mark.
 *
 * @param name Name of the source in the error.
 * @throws {KvbenchError} If it is not UTF-8, with the place of the first wrong byte.
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

/** Counts the leading valid bytes: those that a lossy decoder and an encoder give back unchanged. */
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
