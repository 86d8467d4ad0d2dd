// Where K and V lie in a texture, of which each row is as long as a slot: in the same order as in a buffer.
//
//   kv  [slots, 2 * N_HEAD * HEAD_DIM4 / KV_PER_TEXEL]
//
// A place is y << 16 | x, where x counts vectors of four values: those of a head are neighbours in one row.
//
// requires: kv_groups.wgsl, kv format, kv_texels_read.wgsl | kv_texels_write.wgsl
// provides: kv storage

override HEAD_DIM4: u32;

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  let row = kv_row(slot, part, head, textureDimensions(kv).y);
  return ((row / (2u * N_HEAD)) << 16u) | ((row % (2u * N_HEAD)) * HEAD_DIM4);
}

// The row that begins there.
fn kv_row_at(begin: u32) -> u32 {
  return (begin >> 16u) * 2u * N_HEAD + (begin & 0xffffu) / HEAD_DIM4;
}

// The texel that holds a vector.
fn kv_texel(i: u32) -> vec2u {
  return vec2u((i & 0xffffu) / KV_PER_TEXEL, i >> 16u);
}
