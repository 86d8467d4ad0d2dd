// Where K and V lie in a buffer.
//
//   kv  [rows, HEAD_DIM4] vectors of four values; see kv_groups.wgsl
//
// requires: kv_groups.wgsl, kv format, kv_buffer_read.wgsl | kv_buffer_write.wgsl
// provides: kv storage

override HEAD_DIM4: u32;

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  return kv_row(slot, part, head, arrayLength(&kv) / (2u * N_HEAD * HEAD_DIM4)) * HEAD_DIM4;
}

// The row that begins there.
fn kv_row_at(begin: u32) -> u32 {
  return begin / HEAD_DIM4;
}
