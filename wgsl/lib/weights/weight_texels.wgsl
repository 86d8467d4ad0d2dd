// A packed weight matrix, or a part of one, in a texture.
//
//   weight  [vectors of 16 bytes]
//
// Joined after texels.wgsl and before weight_f32.wgsl, weight_f16.wgsl or weight_int8.wgsl, in the place of
// weight_buffer.wgsl.

@group(1) @binding(2) var weight: texture_storage_2d<rgba32uint, read>;

fn weight_load(i: u32) -> vec4u {
  return textureLoad(weight, texel(i));
}
