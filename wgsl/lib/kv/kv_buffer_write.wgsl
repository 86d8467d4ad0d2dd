// K and V in a buffer, for kv_write.wgsl.
//
//   kv  see kv_buffer.wgsl
//
// requires: kv_buffer.wgsl, x
// provides: kv write

@group(2) @binding(0) var<storage, read_write> kv: array<KvVector>;

// Stores the head of x that begins at `source`, divided by a scale if KV_SCALED.
fn kv_store(begin: u32, source: u32, scale: f32) {
  for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
    var value = x_load(source + d4);
    if (KV_SCALED) {
      value /= scale;
    }
    kv[begin + d4] = kv_encode(value);
  }
}
