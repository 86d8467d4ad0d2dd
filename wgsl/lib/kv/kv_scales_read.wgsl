// The scales of K and V, for attention.
//
//   kv_row_scales  [rows]: see kv_groups.wgsl
//
// requires: kv storage
// provides: kv scales read

@group(2) @binding(2) var<storage, read> kv_row_scales: array<f32>;

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return kv_row_scales[kv_row_at(begin)];
}
