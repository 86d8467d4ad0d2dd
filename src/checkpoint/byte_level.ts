/**
 * The characters that stand for bytes in byte-level vocabularies, as GPT-2's `bytes_to_unicode()` has them: visible
 * Latin-1 stands for itself, and the rest follows from U+0100 on.
 *
 * @module
 */

const BYTES = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte++) {
  const visible = byte >= 33 && byte <= 126 || byte >= 161 && byte <= 255 && byte !== 173;
  BYTES.set(String.fromCharCode(visible ? byte : next++), byte);
}

/** Returns the bytes that a token stands for, or undefined if it is no byte-level token. */
export function byteLevelBytes(token: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.includes(undefined) ? undefined : Uint8Array.from(bytes as number[]);
}
