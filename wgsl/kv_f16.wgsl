// K and V as stored: in float16, two to a word, which needs no shader-f16.
//
//   kv  [rows, HEAD_DIM4]: see kv_groups.wgsl
//
// Joined after kv_groups.wgsl and before kv_write.wgsl and the attention kernels, in the place of kv_f32.wgsl or kv_int8.wgsl.

const KV_SCALED = false; // whether values are divided by a scale before they are stored
const LARGEST = vec4f(65504.0); // of float16

override HEAD_DIM4: u32;

@group(2) @binding(0) var<storage, read_write> kv: array<vec2u>;

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  return kv_row(slot, part, head, arrayLength(&kv) / (2u * N_HEAD * HEAD_DIM4)) * HEAD_DIM4;
}

fn kv_load(i: u32) -> vec4f {
  let words = kv[i];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn kv_store(i: u32, value: vec4f) {
  let finite = clamp(value, -LARGEST, LARGEST);
  kv[i] = vec2u(pack2x16float(finite.xy), pack2x16float(finite.zw));
}

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return 1.0;
}

fn kv_store_scale(begin: u32, value: f32) {
}
