// The scales of K and V, for attention.
//
//   kv_row_scales  [rows]: see kv_groups.wgsl
//
// Joined after kv_buffer.wgsl or kv_texels.wgsl, in the place of kv_unscaled.wgsl.

@group(2) @binding(2) var<storage, read> kv_row_scales: array<f32>;

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return kv_row_scales[kv_row_at(begin)];
}
