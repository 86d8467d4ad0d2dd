/**
 * The CPU reference of `kv_copy.wgsl`: carries out copies of slots.
 *
 * @param slots What each slot holds, wherever it lies: [nSlots][rows][bytes of a row].
 */
export function kvCopy(
  slots: readonly (readonly Uint8Array[])[],
  copies: readonly { readonly from: number; readonly to: number; readonly count: number }[],
): void {
  for (const { from, to, count } of copies) {
    const read = slots.slice(from, from + count).map((slot) => slot.map((row) => row.slice()));
    read.forEach((slot, i) => slot.forEach((row, n) => slots[to + i]![n]!.set(row)));
  }
}
