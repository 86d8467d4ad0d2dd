// Where K and V lie in a texture, of which each row is a line: in the same order as in a buffer.
//
//   kv  [slots, 2 * N_HEAD * part_width()]: see kv_groups.wgsl
//
// A place is line << 16 | texel.
//
// requires: kv_groups.wgsl, kv parts, kv_texels_read.wgsl | kv_texels_write.wgsl
// provides: kv storage

override HEAD_DIM4: u32;

// Vectors in a texel.
fn part_texel_vectors(part: u32) -> u32 {
  return 4u / part_words(part) * part_vectors(part);
}

// Texels of a head.
fn part_width(part: u32) -> u32 {
  return HEAD_DIM4 / part_texel_vectors(part);
}

// Where a slot's head begins.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  let place = kv_place(slot, head, textureDimensions(kv).y);
  return (place.y << 16u) | (part * N_HEAD * part_width(0u) + place.x * part_width(part));
}

// The place of a head that begins there among those of its part in the line, and the line.
fn kv_place_at(part: u32, begin: u32) -> vec2u {
  return vec2u(((begin & 0xffffu) - part * N_HEAD * part_width(0u)) / part_width(part), begin >> 16u);
}
