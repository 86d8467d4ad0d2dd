// Stores a head in the form that K, or V, is kept in.
//
// requires: kv parts, kv write, kv scales write, x

const TINY = 1e-30; // the magnitude that a head of zeros is said to have

// Stores the head of x that begins at `source` in the place that begins at `to`; part 0 is K, part 1 is V.
fn kv_store_head(part: u32, to: u32, source: u32) {
  var scale = 1.0;
  if (part_steps(part) > 0.0) {
    // As bits without their sign, which order as magnitudes do: max() of floats might drop NaN, which must stay.
    var largest = vec4u(bitcast<u32>(TINY));
    for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
      largest = max(largest, bitcast<vec4u>(x_load(source + d4)) & vec4u(0x7fffffffu));
    }
    scale = bitcast<f32>(max(max(largest.x, largest.y), max(largest.z, largest.w))) / part_steps(part);
    kv_store_scale(part, to, scale);
  }
  kv_store(part, to, source, scale);
}
