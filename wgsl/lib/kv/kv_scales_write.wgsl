// The scales of K and V, for kv_write.wgsl.
//
//   kv_head_scales  see kv_scale_places.wgsl
//
// requires: kv_scale_places.wgsl
// provides: kv scales write

@group(2) @binding(2) var<storage, read_write> kv_head_scales: array<f32>;

fn kv_store_scale(part: u32, begin: u32, value: f32) {
  kv_head_scales[kv_scale_at(part, begin)] = value;
}
