// What a product multiplies its weights by, in a buffer.
//
//   x  [n_rows, K4], see linear.wgsl
//
// Joined before linear.wgsl, in the place of x_texels.wgsl.

@group(1) @binding(3) var<storage, read> x: array<vec4f>;

fn x_load(i: u32) -> vec4f {
  return x[i];
}
