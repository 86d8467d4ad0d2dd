// K and V in a texture, for attention.
//
//   kv  see kv_texels.wgsl
//
// requires: kv_texels.wgsl
// provides: kv read

@group(2) @binding(0) var kv: texture_storage_2d<rgba32uint, read>;

// Vectors that are read at once.
fn kv_step(part: u32) -> u32 {
  return part_texel_vectors(part);
}

// The nth of them, of the head that begins there.
fn kv_fetch(part: u32, begin: u32, nth: u32) -> vec4u {
  return textureLoad(kv, vec2u((begin & 0xffffu) + nth, begin >> 16u));
}

// Vector i of those that were read.
fn kv_take(part: u32, texel: vec4u, i: u32) -> vec4f {
  let nth = i / part_vectors(part);
  var unit = texel;
  if (part_words(part) == 2u) {
    unit = select(texel, texel.zwzw, nth == 1u);
  }
  if (part_words(part) == 1u) {
    let pair = select(texel.xy, texel.zw, nth > 1u);
    unit.x = select(pair.x, pair.y, nth % 2u == 1u);
  }
  return part_decode(part, unit, i % part_vectors(part));
}
