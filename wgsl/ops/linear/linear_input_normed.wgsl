// The input of a product of one row: the layer norm of layer_norm.wgsl, which every workgroup makes for itself in workgroup
// memory.
//
//   x            [n_rows, K4]
//   gamma, beta  [K4]
//
// Rows are padded with zeros from N_EMBD to 4 * K4; gamma and beta are zero there. Each lane finds mean and squared
// differences of a part, and parts are joined in a tree: Chan et al. 1979, "Updating formulae and a pairwise algorithm
// for computing sample variances". That takes one tree where sums around the mean would take two.
//
// requires: linear.wgsl, x
// provides: input

override N_EMBD: u32;
override EPSILON: f32;
override NORM_LANES: u32; // lanes of the workgroup, a power of two

@group(1) @binding(5) var<storage, read> gamma: array<vec4f>;
@group(1) @binding(6) var<storage, read> beta: array<vec4f>;

// Of a part of a row.
struct Moments {
  count: f32,
  mean: f32,
  squares: f32, // of differences from the mean
}

var<workgroup> normed: array<vec4f, K4>;
var<workgroup> moments: array<Moments, NORM_LANES>;

fn joined(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let share = b.count / max(count, 1.0);
  let apart = b.mean - a.mean;
  return Moments(count, a.mean + share * apart, a.squares + b.squares + apart * apart * a.count * share);
}

fn input_begin(row: u32, lane: u32) {
  let first = min(lane, K4 - 1u);
  let first_gamma = gamma[first]; // on their way while the tree is gone through
  let first_beta = beta[first];
  var sum = vec4f();
  var own = Moments();
  for (var k4 = lane; k4 < K4; k4 += NORM_LANES) {
    let v = x_load(row * K4 + k4);
    normed[k4] = v;
    sum += v;
    own.count += f32(min(4u, N_EMBD - 4u * k4));
  }
  own.mean = (sum.x + sum.y + sum.z + sum.w) / max(own.count, 1.0);
  var square = vec4f();
  var vectors = 0.0;
  for (var k4 = lane; k4 < K4; k4 += NORM_LANES) {
    let centred = normed[k4] - own.mean;
    square += centred * centred;
    vectors += 1.0;
  }
  // The padding's elements are zero, so each of them has added mean².
  own.squares = square.x + square.y + square.z + square.w - (4.0 * vectors - own.count) * own.mean * own.mean;
  moments[lane] = own;
  for (var half = NORM_LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      moments[lane] = joined(moments[lane], moments[lane + half]);
    }
  }
  workgroupBarrier();
  let mean = moments[0].mean;
  let scale = inverseSqrt(moments[0].squares / f32(N_EMBD) + EPSILON);
  if (lane < K4) {
    normed[lane] = (normed[lane] - mean) * scale * first_gamma + first_beta;
  }
  for (var k4 = lane + NORM_LANES; k4 < K4; k4 += NORM_LANES) {
    normed[k4] = (normed[k4] - mean) * scale * gamma[k4] + beta[k4];
  }
  workgroupBarrier();
}

fn input_load(row: u32, k4: u32) -> vec4f {
  return normed[k4];
}
