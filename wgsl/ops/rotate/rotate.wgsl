// Rotates heads by the orthonormal Hadamard matrix of their size D = 4 * HEAD_DIM4 (Sylvester's):
//   y[d] = sum_e (-1)^(bits set in d & e) x[e] / sqrt(D)
// It is its own inverse, keeps scalar products, and spreads a channel that stands out over all of them (Ashkboos et al.
// 2024, "QuaRot", arXiv 2404.00456).
//
//   x, y  [n_rows, parts, N_HEAD, HEAD_DIM4]: queries, keys and values, or the output of attention
//
// Parts whose bit is zero in ROTATED are copied. A lane makes four elements; the grid is (vectors of a row, rows).
//
// requires: step.wgsl, x, y

override N_PARTS: u32;
override N_HEAD: u32;
override HEAD_DIM4: u32;
override ROTATED: u32;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let width = N_PARTS * N_HEAD * HEAD_DIM4;
  if (id.x >= width || id.y >= counts.n_rows) {
    return;
  }
  let at = id.y * width + id.x;
  if (((ROTATED >> (id.x / (N_HEAD * HEAD_DIM4))) & 1u) == 0u) {
    y_store(at, x_load(at));
    return;
  }
  let d4 = at % HEAD_DIM4;
  let head = at - d4;
  var sum = vec4f();
  for (var e4 = 0u; e4 < HEAD_DIM4; e4++) {
    let value = x_load(head + e4);
    sum += select(value, -value, (countOneBits(d4 & e4) & 1u) == 1u);
  }
  let near = vec4f(sum.x + sum.y, sum.x - sum.y, sum.z + sum.w, sum.z - sum.w);
  let all = vec4f(near.x + near.z, near.y + near.w, near.x - near.z, near.y - near.w);
  y_store(at, all * inverseSqrt(f32(4u * HEAD_DIM4)));
}
