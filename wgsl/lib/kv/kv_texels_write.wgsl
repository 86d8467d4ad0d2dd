// K and V in a texture, for kv_write.wgsl.
//
//   kv  see kv_texels.wgsl
//
// requires: kv_texels.wgsl, x
// provides: kv write

@group(2) @binding(0) var kv: texture_storage_2d<rgba32uint, write>;

// Stores the head of x that begins at `source`, divided by a scale if KV_SCALED.
fn kv_store(begin: u32, source: u32, scale: f32) {
  for (var d4 = 0u; d4 < HEAD_DIM4; d4 += KV_PER_TEXEL) {
    textureStore(kv, kv_texel(begin + d4), kv_pack(source + d4, scale));
  }
}
