// K and V in a texture, for kernels that store them.
//
//   kv  see kv_texels.wgsl
//
// requires: kv_texels.wgsl, kv_units.wgsl
// provides: kv write

@group(2) @binding(0) var kv: texture_storage_2d<rgba32uint, write>;

// Stores the head of x that begins at `source`.
fn kv_store(part: u32, begin: u32, source: u32, scale: f32) {
  let line = begin >> 16u;
  let first = begin & 0xffffu;
  let vectors = part_vectors(part);
  for (var nth = 0u; nth < part_width(part); nth++) {
    let at = source + nth * part_texel_vectors(part);
    var texel = kv_unit(part, at, scale);
    if (part_words(part) == 2u) {
      texel = vec4u(texel.xy, kv_unit(part, at + vectors, scale).xy);
    }
    if (part_words(part) == 1u) {
      texel.y = kv_unit(part, at + vectors, scale).x;
      texel.z = kv_unit(part, at + 2u * vectors, scale).x;
      texel.w = kv_unit(part, at + 3u * vectors, scale).x;
    }
    textureStore(kv, vec2u(first + nth, line), texel);
  }
}

// Stores vector d4 of the head that begins there, in a format whose texels are single vectors.
fn kv_store_vector(part: u32, begin: u32, d4: u32, value: vec4f) {
  textureStore(kv, vec2u((begin & 0xffffu) + d4, begin >> 16u), part_encode(part, value, 0u));
}
