// A packed weight matrix, or a part of one, in a texture.
//
//   weight  [vectors of 16 bytes]
//
// requires: texels.wgsl, tile order
// provides: weight storage

@group(1) @binding(2) var weight: texture_storage_2d<rgba32uint, read>;

fn weight_load(tile: u32, vector: u32) -> vec4u {
  return textureLoad(weight, texel(tile_vector(tile, vector)));
}

// Half a vector, of types with so small tiles.
fn weight_half(nth: u32) -> vec2u {
  let vector = textureLoad(weight, texel(nth / 2u));
  return select(vector.xy, vector.zw, nth % 2u == 1u);
}
