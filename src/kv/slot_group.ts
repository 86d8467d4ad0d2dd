/**
 * In which order the token slots of a layer lie: consecutive slots form a group, within which the rows of one head
 * are neighbours (`kv_groups.wgsl`).
 */

/** Slots of a group, unless the memory is cut finer. */
export const SLOT_GROUP = 16;

/** Slots of a group in blocks of `blockSize` slots, which hold whole groups: the largest divisor that is at most 16. */
export function slotGroupOf(blockSize: number): number {
  let slots = SLOT_GROUP;
  while (blockSize % slots !== 0) slots--;
  return slots;
}
