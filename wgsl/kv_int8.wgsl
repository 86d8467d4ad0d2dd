// K and V as stored: in int8, symmetric, with one scale per head, token and part: value = q * scale, q from -127
// to 127.
//
//   kv  [rows, HEAD_DIM4 + 1]: words of four values, then the scale; see kv_groups.wgsl
//
// Joined after kv_groups.wgsl and before kv_write.wgsl and the attention kernels, in the place of kv_f32.wgsl or kv_f16.wgsl.

const KV_SCALED = true; // whether values are divided by a scale before they are stored

override HEAD_DIM4: u32;

@group(2) @binding(0) var<storage, read_write> kv: array<u32>;

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  return kv_row(slot, part, head, arrayLength(&kv) / (2u * N_HEAD * (HEAD_DIM4 + 1u))) * (HEAD_DIM4 + 1u);
}

fn kv_load(i: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(kv[i])) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn kv_store(i: u32, value: vec4f) {
  let bytes = bitcast<vec4u>(vec4i(round(clamp(value, vec4f(-127.0), vec4f(127.0))))) & vec4u(255u);
  kv[i] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return bitcast<f32>(kv[begin + HEAD_DIM4]);
}

fn kv_store_scale(begin: u32, value: f32) {
  kv[begin + HEAD_DIM4] = bitcast<u32>(value);
}
