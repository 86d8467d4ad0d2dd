// y[i] = (x[r] - mean(x[r])) / sqrt(variance(x[r]) + epsilon) * gamma + beta
// with r = i, or r = outputs[i].row where GATHER is true (the final norm: only rows whose logits are wanted).
//
//   x            [n_rows, E4]
//   gamma, beta  [E4]
//   y            [n_rows or n_outputs, E4]
//
// Rows are padded with zeros from N_EMBD to 4 * E4; gamma and beta are zero there.
// A workgroup of LANES lanes normalises one row: each lane sums a part.
//
// requires: step.wgsl, y, lane sum

override E4: u32;
override N_EMBD: u32;
override EPSILON: f32;
override GATHER: bool;

@group(1) @binding(0) var<storage, read> x: array<vec4f>;
@group(1) @binding(2) var<storage, read> gamma: array<vec4f>;
@group(1) @binding(3) var<storage, read> beta: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  var row = workgroup.x;
  if (GATHER) {
    row = outputs[row].row;
  }
  let base = row * E4;

  var sum = vec4f();
  for (var e4 = lane; e4 < E4; e4 += LANES) {
    sum += x[base + e4];
  }
  let mean = lane_sum(lane, 0u, 0.0, sum.x + sum.y + sum.z + sum.w) / f32(N_EMBD);

  var square = vec4f();
  for (var e4 = lane; e4 < E4; e4 += LANES) {
    let centred = x[base + e4] - mean;
    square += centred * centred;
  }
  // The padding's elements are zero, so each of them has added mean².
  let padding = -f32(4u * E4 - N_EMBD) * mean * mean;
  let variance = lane_sum(lane, 1u, padding, square.x + square.y + square.z + square.w);
  let scale = inverseSqrt(variance / f32(N_EMBD) + EPSILON);

  for (var e4 = lane; e4 < E4; e4 += LANES) {
    y_store(workgroup.x * E4 + e4, (x[base + e4] - mean) * scale * gamma[e4] + beta[e4]);
  }
}
