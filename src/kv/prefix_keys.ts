/**
 * Keys by which the prefix cache finds blocks: a chain of hashes, so that equal keys mean equal tokens from the
 * sequence's start to the block's end. Hashed by a package, since the runtime's own crypto answers later only.
 * Host only.
 */
import { sha256 } from "npm:@noble/hashes@2.4.0/sha2.js";

/** Names the contents of a full block and of all that comes before it, as {@linkcode prefixKeys} makes it. */
export type PrefixKey = string;

const text = new TextEncoder();

/** Bytes of a hash that are kept: 128 bits, so that no one meets two prompts with one key, by chance or intent. */
const KEY_BYTES = 16;

/**
 * Returns the keys of the full blocks of a sequence that begins with `ids`, [floor(ids.length / blockSize)]: each is the
 * SHA-256 of the key before it and the block's ids.
 */
export function prefixKeys(ids: readonly number[], blockSize: number): PrefixKey[] {
  const keys: PrefixKey[] = [];
  let last = "";
  for (let end = blockSize; end <= ids.length; end += blockSize) {
    const block = Uint32Array.from(ids.slice(end - blockSize, end));
    const hash = sha256.create().update(text.encode(last)).update(new Uint8Array(block.buffer)).digest();
    last = hash.subarray(0, KEY_BYTES).toHex();
    keys.push(last);
  }
  return keys;
}
