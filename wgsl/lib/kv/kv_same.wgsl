// K and V in one format; part 0 is K, part 1 is V.
//
// requires: kv format
// provides: kv parts

fn part_words(part: u32) -> u32 {
  return KV_WORDS;
}

fn part_vectors(part: u32) -> u32 {
  return KV_VECTORS;
}

fn part_steps(part: u32) -> f32 {
  return KV_STEPS;
}

fn part_decode(part: u32, unit: vec4u, i: u32) -> vec4f {
  return kv_decode(unit, i);
}

fn part_encode(part: u32, value: vec4f, i: u32) -> vec4u {
  return kv_encode(value, i);
}
