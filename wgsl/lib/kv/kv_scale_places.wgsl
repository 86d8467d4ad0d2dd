// Where scales lie: in the order of their heads, of the parts that have some.
//
//   kv_head_scales  [slots][scaled parts, N_HEAD]: see kv_groups.wgsl
//
// requires: kv storage

// Where the scale of the head is that begins there.
fn kv_scale_at(part: u32, begin: u32) -> u32 {
  let place = kv_place_at(part, begin);
  let of_k = select(0u, N_HEAD, part_steps(0u) > 0.0);
  let of_v = select(0u, N_HEAD, part_steps(1u) > 0.0);
  return place.y * (of_k + of_v) + part * of_k + place.x;
}
