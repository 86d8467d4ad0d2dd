// What a kernel reads that another one made, in a texture.
//
//   x  as the kernel's file says
//
// requires: texels.wgsl
// provides: x

@group(1) @binding(0) var x: texture_storage_2d<rgba32uint, read>;

fn x_load(i: u32) -> vec4f {
  return bitcast<vec4f>(textureLoad(x, texel(i)));
}
