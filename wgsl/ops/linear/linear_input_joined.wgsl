// The input of a product of one row: the result of decode attention, which every workgroup joins from its splits in
// workgroup memory, as attention_combine.wgsl does. With M = max_s(m_s),
//   input[i] = sum_s(exp(m_s - M) o_s[i]) / sum_s(exp(m_s - M) l_s)
//
//   x  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4 + 1]   o, then (m, l, splits, 0); see attention_split.wgsl
//
// A lane has eight splits under way at once.
//
// requires: linear.wgsl, x
// provides: input

const LOWEST = -3.0e38;

override N_HEAD: u32;
override HEAD_DIM4: u32;
override MAX_SPLITS: u32;
override JOIN_LANES: u32; // lanes of the workgroup

var<workgroup> attended: array<vec4f, K4>;

fn input_begin(row: u32, lane: u32) {
  for (var i = lane; i < K4; i += JOIN_LANES) {
    attended[i] = joined_vector(row * N_HEAD + i / HEAD_DIM4, i % HEAD_DIM4);
  }
  workgroupBarrier();
}

fn input_load(row: u32, k4: u32) -> vec4f {
  return attended[k4];
}

// The sums of the splits so far, relative to the largest score m.
struct Joined {
  m: f32,
  l: f32,
  o: vec4f,
}

fn joined_vector(head: u32, d4: u32) -> vec4f {
  let stride = HEAD_DIM4 + 1u;
  let first = head * MAX_SPLITS * stride;
  let n_splits = u32(x_load(first + HEAD_DIM4).z);
  var all = Joined(LOWEST, 0.0, vec4f());
  for (var s = 0u; s < MAX_SPLITS; s += 8u) {
    // Splits that are not there may hold anything, and count nothing.
    let near = min(s + vec4u(0u, 1u, 2u, 3u), vec4u(MAX_SPLITS - 1u));
    let far = min(s + vec4u(4u, 5u, 6u, 7u), vec4u(MAX_SPLITS - 1u));
    let near_of = four(first + near * stride, d4);
    let far_of = four(first + far * stride, d4);
    all = join(all, near_of, s + vec4u(0u, 1u, 2u, 3u) < vec4u(n_splits));
    all = join(all, far_of, s + vec4u(4u, 5u, 6u, 7u) < vec4u(n_splits));
    if (s + 8u >= n_splits) {
      break;
    }
  }
  return all.o / all.l;
}

// Four splits: a vector of each, largest scores and sums of weights.
struct Four {
  o: mat4x4f,
  m: vec4f,
  l: vec4f,
}

fn four(first: vec4u, d4: u32) -> Four {
  let finish = first + HEAD_DIM4;
  let a = x_load(finish.x).xy;
  let b = x_load(finish.y).xy;
  let c = x_load(finish.z).xy;
  let d = x_load(finish.w).xy;
  return Four(
    mat4x4f(x_load(first.x + d4), x_load(first.y + d4), x_load(first.z + d4), x_load(first.w + d4)),
    vec4f(a.x, b.x, c.x, d.x),
    vec4f(a.y, b.y, c.y, d.y),
  );
}

fn join(before: Joined, splits: Four, there: vec4<bool>) -> Joined {
  let m4 = select(vec4f(LOWEST), splits.m, there);
  let m = max(before.m, max(max(m4.x, m4.y), max(m4.z, m4.w)));
  let weights = select(vec4f(), exp(m4 - m), there);
  let l = select(vec4f(), splits.l, there);
  let o = mat4x4f(
    select(vec4f(), splits.o[0], there.x),
    select(vec4f(), splits.o[1], there.y),
    select(vec4f(), splits.o[2], there.z),
    select(vec4f(), splits.o[3], there.w),
  );
  let decay = exp(before.m - m);
  return Joined(m, before.l * decay + dot(weights, l), before.o * decay + o * weights);
}
