// A packed weight matrix, or a part of one, in a texture.
//
//   weight  [vectors of 16 bytes]
//
// requires: texels.wgsl
// provides: weight storage

@group(1) @binding(2) var weight: texture_storage_2d<rgba32uint, read>;

fn weight_load(i: u32) -> vec4u {
  return textureLoad(weight, texel(i));
}
