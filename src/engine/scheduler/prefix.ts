/**
 * Beginnings that sequences share: finding a prompt's leading blocks where another sequence has computed them, and
 * letting others find them.
 */
import type { PrefixKey } from "../../kv/prefix_keys.ts";
import type { KvPolicy } from "../../kv/policy.ts";
import type { Sequence } from "./request.ts";

const NONE: readonly PrefixKey[] = [];

/** The keys of a sequence's leading blocks that need not be computed. */
export function cachedPrefix(
  { group: { forked, request }, nTokens }: Sequence,
  memory: Pick<KvPolicy, "blockSize" | "cachedBlocks">,
): readonly PrefixKey[] {
  const { prefix, promptTokens } = request;
  if (prefix === undefined || memory.blockSize === undefined) return NONE;
  // At least one token is computed, for its logits.
  const most = Math.floor(((forked ? nTokens : promptTokens) - 1) / memory.blockSize);
  const wanted = prefix.slice(0, most);
  return wanted.slice(0, memory.cachedBlocks(wanted));
}

/** Lets others find the blocks of the prompt that a sequence fills up to token `end`. */
export function publishPrefix(
  { number, nComputed, group: { request: { prefix } } }: Sequence,
  end: number,
  memory: Pick<KvPolicy, "blockSize" | "publish">,
): void {
  const { blockSize } = memory;
  if (prefix === undefined || blockSize === undefined) return;
  const last = Math.min(prefix.length, Math.floor(end / blockSize));
  for (let i = Math.floor(nComputed / blockSize); i < last; i++) memory.publish(number, i, prefix[i]!);
}
