// What a product multiplies its weights by, in a texture.
//
//   x  [n_rows, K4], see linear.wgsl
//
// Joined after texels.wgsl and before linear.wgsl, in the place of x_buffer.wgsl.

@group(1) @binding(3) var x: texture_storage_2d<rgba32uint, read>;

fn x_load(i: u32) -> vec4f {
  return bitcast<vec4f>(textureLoad(x, texel(i)));
}
