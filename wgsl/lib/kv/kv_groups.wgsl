// In which order a layer's K and V lie. Each line of memory is as long as a slot: K of N_HEAD heads, then V of N_HEAD
// heads. SLOT_GROUP consecutive slots are a group (the last one may be shorter) and share its lines: in reading order
// come the first head of all its slots, then the second one, and so on. Attention, which goes through the positions of
// one head at a time, so reads memory in order.
//
//   kv  [slots][2, N_HEAD] heads: K, then V

override N_HEAD: u32;
override SLOT_GROUP: u32;

// Where a slot's head is among those of K, or of V: the place in its line, and the line.
fn kv_place(slot: u32, head: u32, n_slots: u32) -> vec2u {
  let first = slot / SLOT_GROUP * SLOT_GROUP;
  let group_slots = min(SLOT_GROUP, n_slots - first);
  let nth = first * N_HEAD + head * group_slots + slot - first;
  return vec2u(nth % N_HEAD, nth / N_HEAD);
}
