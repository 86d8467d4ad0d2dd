/** Costs of the choice of tokens in a step: bytes and multiply-adds, by kernel. */
import type { KvBatch, KvCost } from "../around.ts";
import { entriesOf, firstObservedOf, keptOf, type KeptRule } from "./rule.ts";

/** The sizes of a model, and the bytes of a token's K and V in one layer. */
interface KeptSizes {
  readonly nLayer: number;
  readonly nHead: number;
  readonly headDim: number;
  readonly rowBytes: number;
}

interface Prompts {
  progress(sequence: number): { readonly promptTokens: number };
}

/**
 * Computes the costs. Scores of rows are counted as often as they are computed: prompts go through K twice, since what
 * divides a probability is known at the end of its row.
 */
export function keptCosts(
  { nPrefillTiles, nDecodeTiles, tiles }: KvBatch,
  rule: KeptRule,
  prompts: Prompts,
  { nLayer, nHead, headDim, rowBytes }: KeptSizes,
): Record<string, KvCost> {
  const a = nHead * 4 * Math.ceil(headDim / 4);
  const sums = { rows: 0, pairs: 0, tokens: 0, kept: 0, pooled: 0, entries: 0 };
  const lengths = new Map<number, number>();
  let singles = 0, moved = 0;
  for (let t = 0; t < nPrefillTiles + nDecodeTiles; t++) {
    const [rows, sequence, first] = [tiles[4 * t + 1]!, tiles[4 * t + 2]!, tiles[4 * t + 3]!];
    const { promptTokens } = prompts.progress(sequence);
    if (first < promptTokens) {
      lengths.set(sequence, promptTokens);
      for (let row = Math.max(first, firstObservedOf(rule, promptTokens)); row < first + rows; row++) {
        sums.rows++;
        sums.pairs += row + 1;
      }
    } else if (rule.everyStep) {
      singles++;
      sums.entries += entriesOf(rule, promptTokens, first + 1);
      if (first >= rule.heavy + rule.recent) moved++;
    }
  }
  for (const length of lengths.values()) {
    const kept = keptOf(rule, length);
    sums.tokens += length;
    sums.kept += kept;
    if (kept < length) sums.pooled += length - rule.recent;
  }
  const isScored = rule.everyStep || sums.kept < sums.tokens;
  const each = (bytes: number, macs = 0): KvCost => ({ bytes: nLayer * bytes, macs: nLayer * macs });
  return {
    ...isScored && lengths.size > 0 && {
      "kept norms": each(
        4 * a * sums.rows + rowBytes / 2 * sums.tokens + 8 * nHead * sums.rows,
        a * sums.pairs,
      ),
      "kept scores": each(
        (4 * a + 8 * nHead) * sums.rows + (rowBytes / 2 + 4 * nHead) * sums.tokens,
        (a + nHead) * sums.pairs,
      ),
    },
    ...lengths.size > 0 && {
      "kept choice": each(nHead * (4 * sums.tokens + 12 * sums.kept), nHead * rule.pool * sums.pooled),
      "kept store": each((8 * a + 4 * nHead + rowBytes) * sums.kept),
    },
    ...singles > 0 && {
      "kept step": each(
        4 * a * singles + (rowBytes / 2 + 12 * nHead) * sums.entries,
        (a + nHead) * sums.entries,
      ),
      "kept move": each(4 * nHead * singles + (8 * a + rowBytes) * moved),
    },
  };
}
