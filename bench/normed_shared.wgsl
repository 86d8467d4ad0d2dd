// linear_row_wide.wgsl with the layer norm before it: every workgroup normalises the row into workgroup memory first.
//
//   gamma, beta  [K4]
//
// Joined after linear_wide.wgsl.

override N_EMBD: u32;
override EPSILON: f32;

@group(1) @binding(5) var<storage, read> gamma: array<vec4f>;
@group(1) @binding(6) var<storage, read> beta: array<vec4f>;

var<workgroup> normed: array<vec4f, 192>; // GPT-2 124M's width
var<workgroup> parts: array<f32, 64>;
var<workgroup> squares: array<f32, 64>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = workgroup.y * K4;
  var sum = vec4f();
  for (var k4 = local.x; k4 < K4; k4 += LANES) {
    sum += x_load(row + k4);
  }
  parts[local.x] = dot(sum, vec4f(1.0));
  workgroupBarrier();
  var mean = 0.0;
  for (var i = 0u; i < LANES; i++) {
    mean += parts[i];
  }
  mean /= f32(N_EMBD);
  var square = 0.0;
  for (var k4 = local.x; k4 < K4; k4 += LANES) {
    let centred = x_load(row + k4) - mean;
    square += dot(centred, centred);
  }
  squares[local.x] = square;
  workgroupBarrier();
  var variance = -f32(4u * K4 - N_EMBD) * mean * mean;
  for (var i = 0u; i < LANES; i++) {
    variance += squares[i];
  }
  let deviation = inverseSqrt(variance / f32(N_EMBD) + EPSILON);
  for (var k4 = local.x; k4 < K4; k4 += LANES) {
    normed[k4] = (x_load(row + k4) - mean) * deviation * gamma[k4] + beta[k4];
  }
  workgroupBarrier();

  let n4 = (workgroup.x * LANES + local.x) * 4u;
  if (n4 >= N4) {
    return;
  }
  var sums: Sums;
  var w = first_tile(n4);
  for (var k4 = 0u; k4 < K4; k4++) {
    add(&sums, four_tiles(w), normed[k4]);
    w += TILE_GROUP;
  }
  store_four(workgroup.y, n4, sums);
}
