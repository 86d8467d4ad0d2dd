// Where a kernel's result goes: into a texture, for another one to read.
//
//   y  as the kernel's file says
//
// requires: texels.wgsl
// provides: y

@group(1) @binding(1) var y: texture_storage_2d<rgba32uint, write>;

fn y_store(i: u32, value: vec4f) {
  textureStore(y, texel(i), bitcast<vec4u>(value));
}
