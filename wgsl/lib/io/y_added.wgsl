// Where a kernel's result goes: it is added to what a buffer holds.
//
//   y  as the kernel's file says
//
// Joined before the kernel, in the place of y_buffer.wgsl or y_texels.wgsl.

@group(1) @binding(1) var<storage, read_write> y: array<vec4f>;

fn y_store(i: u32, value: vec4f) {
  y[i] += value;
}
