// In which order a layer's K and V lie: SLOT_GROUP consecutive slots are a group (the last one may be shorter), and
// within a group the rows of one head's K are neighbours, as are those of its V. Attention, which goes through the
// positions of one head at a time, so reads memory in order.
//
//   kv  [groups][2, N_HEAD, slots of the group] rows: K, then V, of one head of one slot

override N_HEAD: u32;
override SLOT_GROUP: u32;

// The row of a slot's head; part 0 is K, part 1 is V.
fn kv_row(slot: u32, part: u32, head: u32, n_slots: u32) -> u32 {
  let first = slot / SLOT_GROUP * SLOT_GROUP;
  let group_slots = min(SLOT_GROUP, n_slots - first);
  return first * 2u * N_HEAD + (part * N_HEAD + head) * group_slots + slot - first;
}
