// What a product does with its finished sums, as a kernel of its own: y[i] = gelu(y[i]), or y[i] += x[i].
//
//   x, y  [N4]
//
// A lane makes four elements. Joined after step.wgsl.

override N4: u32;
override GELU: bool;

@group(1) @binding(0) var<storage, read> x: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= N4) {
    return;
  }
  let value = y[i];
  if (GELU) {
    y[i] = value / (1.0 + exp(-1.5957691216057308 * (value + 0.044715 * value * value * value)));
  } else {
    y[i] = value + x[i];
  }
}
