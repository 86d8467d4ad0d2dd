// K and V as stored: in int8, symmetric, with one scale per head, token and part: value = q * scale, q from -127
// to 127.
//
//   kv  [n_slots]: 2 N_HEAD HEAD_DIM4 words of four values (K, then V), then 2 N_HEAD scales, of one layer
//
// Joined before kv_write.wgsl and the attention kernels, in the place of kv_f32.wgsl or kv_f16.wgsl.

const KV_SCALED = true; // whether values are divided by a scale before they are stored

override N_HEAD: u32;
override HEAD_DIM4: u32;

@group(2) @binding(0) var<storage, read_write> kv: array<u32>;

fn kv_slot_words(slot: u32) -> u32 {
  return slot * 2u * N_HEAD * (HEAD_DIM4 + 1u);
}

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  return kv_slot_words(slot) + (part * N_HEAD + head) * HEAD_DIM4;
}

fn kv_load(i: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(kv[i])) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn kv_store(i: u32, value: vec4f) {
  let bytes = bitcast<vec4u>(vec4i(round(clamp(value, vec4f(-127.0), vec4f(127.0))))) & vec4u(255u);
  kv[i] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// What loaded vectors of a slot's head are multiplied by.
fn kv_scale(slot: u32, part: u32, head: u32) -> f32 {
  return bitcast<f32>(kv[kv_slot_words(slot) + (2u * HEAD_DIM4 + part) * N_HEAD + head]);
}

fn kv_store_scale(slot: u32, part: u32, head: u32, value: f32) {
  kv[kv_slot_words(slot) + (2u * HEAD_DIM4 + part) * N_HEAD + head] = bitcast<u32>(value);
}
