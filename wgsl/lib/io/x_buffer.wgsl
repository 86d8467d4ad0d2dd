// What a kernel reads that another one made, in a buffer.
//
//   x  as the kernel's file says
//
// provides: x

@group(1) @binding(0) var<storage, read> x: array<vec4f>;

fn x_load(i: u32) -> vec4f {
  return x[i];
}
