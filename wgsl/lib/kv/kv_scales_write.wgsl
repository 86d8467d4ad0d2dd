// The scales of K and V, for kv_write.wgsl.
//
//   kv_row_scales  [rows]: see kv_groups.wgsl
//
// requires: kv storage
// provides: kv scales write

@group(2) @binding(2) var<storage, read_write> kv_row_scales: array<f32>;

fn kv_store_scale(begin: u32, value: f32) {
  kv_row_scales[kv_row_at(begin)] = value;
}
