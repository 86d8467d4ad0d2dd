// The scales of K and V, for kv_write.wgsl.
//
//   kv_row_scales  [rows]: see kv_groups.wgsl
//
// Joined after kv_buffer.wgsl or kv_texels.wgsl, in the place of kv_unscaled.wgsl.

@group(2) @binding(2) var<storage, read_write> kv_row_scales: array<f32>;

fn kv_store_scale(begin: u32, value: f32) {
  kv_row_scales[kv_row_at(begin)] = value;
}
