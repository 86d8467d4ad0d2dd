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
override NORM_ROOM: u32; // vectors that all lanes keep, past the end as well: a branch is a wall to compilers
override MORE: bool = K4 > 3u * NORM_LANES; // a lane has more than three vectors

@group(1) @binding(5) var<storage, read> gamma: array<vec4f>;
@group(1) @binding(6) var<storage, read> beta: array<vec4f>;

// Of a part of a row.
struct Moments {
  count: f32,
  mean: f32,
  squares: f32, // of differences from the mean
}

var<workgroup> normed: array<vec4f, NORM_ROOM>;
var<workgroup> moments: array<Moments, NORM_LANES>;

// Three vectors, NORM_LANES apart: as many as a lane has of a row, mostly, under way at once. Past the end there are zeros.
struct Three {
  a: vec4f,
  b: vec4f,
  c: vec4f,
}

fn x_three(row: u32, k4: u32) -> Three {
  let at = three_places(k4);
  let i = row * K4 + min(at, vec3u(K4 - 1u));
  var three = Three(select(vec4f(), x_load(i.x), at.x < K4), vec4f(), vec4f());
  if (NORM_LANES < K4) {
    three.b = select(vec4f(), x_load(i.y), at.y < K4);
    three.c = select(vec4f(), x_load(i.z), at.z < K4);
  }
  return three;
}

fn gamma_three(k4: u32) -> Three {
  let i = min(three_places(k4), vec3u(K4 - 1u));
  var three = Three(gamma[i.x], vec4f(), vec4f());
  if (NORM_LANES < K4) {
    three.b = gamma[i.y];
    three.c = gamma[i.z];
  }
  return three;
}

fn beta_three(k4: u32) -> Three {
  let i = min(three_places(k4), vec3u(K4 - 1u));
  var three = Three(beta[i.x], vec4f(), vec4f());
  if (NORM_LANES < K4) {
    three.b = beta[i.y];
    three.c = beta[i.z];
  }
  return three;
}

fn three_places(k4: u32) -> vec3u {
  return k4 + NORM_LANES * vec3u(0u, 1u, 2u);
}

fn keep_three(k4: u32, three: Three) {
  normed[k4] = three.a;
  if (NORM_LANES < K4) {
    normed[k4 + NORM_LANES] = three.b;
  }
  if (2u * NORM_LANES < K4) {
    normed[k4 + 2u * NORM_LANES] = three.c;
  }
}

fn moments_of(k4: u32, three: Three) -> Moments {
  let at = three_places(k4);
  let there = at < vec3u(K4);
  let real = vec3f(clamp(vec3i(i32(N_EMBD)) - 4 * vec3i(at), vec3i(), vec3i(4)));
  let count = real.x + real.y + real.z;
  let sum = three.a + three.b + three.c;
  let mean = (sum.x + sum.y + sum.z + sum.w) / max(count, 1.0);
  let a = select(vec4f(), three.a - mean, there.x);
  let b = select(vec4f(), three.b - mean, there.y);
  let c = select(vec4f(), three.c - mean, there.z);
  let squares = a * a + b * b + c * c;
  // The padding's elements are zero, so each of them has added mean².
  let padding = 4.0 * dot(select(vec3f(), vec3f(1.0), there), vec3f(1.0)) - count;
  return Moments(count, mean, squares.x + squares.y + squares.z + squares.w - padding * mean * mean);
}

fn joined(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let share = b.count / max(count, 1.0);
  let apart = b.mean - a.mean;
  return Moments(count, a.mean + share * apart, a.squares + b.squares + apart * apart * a.count * share);
}

fn input_begin(row: u32, lane: u32) {
  let first_gamma = gamma_three(lane); // on their way while the tree is gone through
  let first_beta = beta_three(lane);
  let first = x_three(row, lane);
  keep_three(lane, first);
  var own = moments_of(lane, first);
  if (MORE) {
    for (var k4 = lane + 3u * NORM_LANES; k4 < K4; k4 += 3u * NORM_LANES) {
      let three = x_three(row, k4);
      keep_three(k4, three);
      own = joined(own, moments_of(k4, three));
    }
  }
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
  scale_three(lane, mean, scale, first_gamma, first_beta);
  if (MORE) {
    for (var k4 = lane + 3u * NORM_LANES; k4 < K4; k4 += 3u * NORM_LANES) {
      scale_three(k4, mean, scale, gamma_three(k4), beta_three(k4));
    }
  }
  workgroupBarrier();
}

fn scale_three(k4: u32, mean: f32, scale: f32, gammas: Three, betas: Three) {
  var three = Three((normed[k4] - mean) * scale * gammas.a + betas.a, vec4f(), vec4f());
  if (NORM_LANES < K4) {
    three.b = (normed[k4 + NORM_LANES] - mean) * scale * gammas.b + betas.b;
  }
  if (2u * NORM_LANES < K4) {
    three.c = (normed[k4 + 2u * NORM_LANES] - mean) * scale * gammas.c + betas.c;
  }
  keep_three(k4, three);
}

fn input_load(row: u32, k4: u32) -> vec4f {
  return normed[k4];
}
