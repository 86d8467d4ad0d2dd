// linear_row_wide.wgsl with the layer norm before it: every lane finds mean and deviation of the whole row by itself, and
// normalises what it reads.
//
//   gamma, beta  [K4]
//
// Joined after linear_wide.wgsl.

override N_EMBD: u32;
override EPSILON: f32;

@group(1) @binding(5) var<storage, read> gamma: array<vec4f>;
@group(1) @binding(6) var<storage, read> beta: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x * 4u;
  if (n4 >= N4) {
    return;
  }
  let row = id.y * K4;
  var sum = vec4f();
  for (var k4 = 0u; k4 < K4; k4++) {
    sum += x_load(row + k4);
  }
  let mean = dot(sum, vec4f(1.0)) / f32(N_EMBD);
  var square = vec4f();
  for (var k4 = 0u; k4 < K4; k4++) {
    let centred = x_load(row + k4) - mean;
    square += centred * centred;
  }
  let variance = dot(square, vec4f(1.0)) - f32(4u * K4 - N_EMBD) * mean * mean;
  let deviation = inverseSqrt(variance / f32(N_EMBD) + EPSILON);
  var sums: Sums;
  var w = first_tile(n4);
  for (var k4 = 0u; k4 < K4; k4++) {
    add(&sums, four_tiles(w), (x_load(row + k4) - mean) * deviation * gamma[k4] + beta[k4]);
    w += TILE_GROUP;
  }
  store_four(id.y, n4, sums);
}
