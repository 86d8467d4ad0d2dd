/** The CPU reference of `kv_copy.wgsl`: carries out copies of slots in `kv` [nSlots, slotWords]. */
export function kvCopy(
  kv: Uint32Array,
  copies: readonly { readonly from: number; readonly to: number; readonly count: number }[],
  slotWords: number,
): void {
  for (const { from, to, count } of copies) {
    kv.copyWithin(to * slotWords, from * slotWords, (from + count) * slotWords);
  }
}
