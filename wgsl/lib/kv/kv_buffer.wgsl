// Where K and V lie in a buffer.
//
//   kv  [slots][2, N_HEAD, part_width()] elements; see kv_groups.wgsl
//
// requires: kv_groups.wgsl, kv parts, kv element, kv_buffer_read.wgsl | kv_buffer_write.wgsl
// provides: kv storage

override HEAD_DIM4: u32;

// Elements of a head.
fn part_width(part: u32) -> u32 {
  return HEAD_DIM4 / part_vectors(part) * (part_words(part) / KV_ELEMENT_WORDS);
}

// Elements of a line.
fn kv_line() -> u32 {
  return N_HEAD * (part_width(0u) + part_width(1u));
}

// Where a slot's head begins.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  let place = kv_place(slot, head, arrayLength(&kv) / kv_line());
  return place.y * kv_line() + part * N_HEAD * part_width(0u) + place.x * part_width(part);
}

// The place of a head that begins there among those of its part in the line, and the line.
fn kv_place_at(part: u32, begin: u32) -> vec2u {
  return vec2u((begin % kv_line() - part * N_HEAD * part_width(0u)) / part_width(part), begin / kv_line());
}
