// K in one format and V in another; part 0 is K, part 1 is V. Where a part is a constant, so is the branch.
//
// requires: k format, v format
// provides: kv parts

fn part_words(part: u32) -> u32 {
  return select(V_WORDS, K_WORDS, part == 0u);
}

fn part_vectors(part: u32) -> u32 {
  return select(V_VECTORS, K_VECTORS, part == 0u);
}

fn part_steps(part: u32) -> f32 {
  return select(V_STEPS, K_STEPS, part == 0u);
}

fn part_decode(part: u32, unit: vec4u, i: u32) -> vec4f {
  if (part == 0u) {
    return k_decode(unit, i);
  }
  return v_decode(unit, i);
}

fn part_encode(part: u32, value: vec4f, i: u32) -> vec4u {
  if (part == 0u) {
    return k_encode(value, i);
  }
  return v_encode(value, i);
}
