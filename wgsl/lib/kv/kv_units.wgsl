// Units of words as K and V are stored in, made of the vectors of x.
//
// requires: kv parts, x

// A vector of x, divided by a scale where the format has some.
fn kv_scaled(part: u32, i: u32, scale: f32) -> vec4f {
  if (part_steps(part) > 0.0) {
    return x_load(i) / scale;
  }
  return x_load(i);
}

// The unit of the vectors from i on.
fn kv_unit(part: u32, i: u32, scale: f32) -> vec4u {
  var unit = part_encode(part, kv_scaled(part, i, scale), 0u);
  if (part_vectors(part) > 1u) {
    unit |= part_encode(part, kv_scaled(part, i + 1u, scale), 1u);
  }
  return unit;
}
