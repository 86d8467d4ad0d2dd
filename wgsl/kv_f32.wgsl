// K and V as stored: in float32.
//
//   kv  [rows, HEAD_DIM4]: see kv_groups.wgsl
//
// Joined after kv_groups.wgsl and before kv_write.wgsl and the attention kernels, in the place of kv_f16.wgsl or kv_int8.wgsl.

const KV_SCALED = false; // whether values are divided by a scale before they are stored

override HEAD_DIM4: u32;

@group(2) @binding(0) var<storage, read_write> kv: array<vec4f>;

// Where the vectors of a slot's head begin; part 0 is K, part 1 is V.
fn kv_head(slot: u32, part: u32, head: u32) -> u32 {
  return kv_row(slot, part, head, arrayLength(&kv) / (2u * N_HEAD * HEAD_DIM4)) * HEAD_DIM4;
}

fn kv_load(i: u32) -> vec4f {
  return kv[i];
}

fn kv_store(i: u32, value: vec4f) {
  kv[i] = value;
}

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return 1.0;
}

fn kv_store_scale(begin: u32, value: f32) {
}
