// The scales of K and V, for attention.
//
//   kv_head_scales  see kv_scale_places.wgsl
//
// requires: kv_scale_places.wgsl
// provides: kv scales read

@group(2) @binding(2) var<storage, read> kv_head_scales: array<f32>;

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(part: u32, begin: u32) -> f32 {
  if (part_steps(part) > 0.0) {
    return kv_head_scales[kv_scale_at(part, begin)];
  }
  return 1.0;
}
