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
