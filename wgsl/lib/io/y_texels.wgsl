// Where a kernel's result goes: into a texture, for another one to read.
//
//   y  as the kernel's file says
//
// Joined after texels.wgsl and before the kernel, in the place of y_buffer.wgsl or y_added.wgsl.

@group(1) @binding(1) var y: texture_storage_2d<rgba32uint, write>;

fn y_store(i: u32, value: vec4f) {
  textureStore(y, texel(i), bitcast<vec4u>(value));
}
