// What a kernel reads that another one made, in a texture.
//
//   x  as the kernel's file says
//
// Joined after texels.wgsl and before the kernel, in the place of x_buffer.wgsl.

@group(1) @binding(0) var x: texture_storage_2d<rgba32uint, read>;

fn x_load(i: u32) -> vec4f {
  return bitcast<vec4f>(textureLoad(x, texel(i)));
}
