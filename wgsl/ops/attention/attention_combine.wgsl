// Joins the splits of attention_split.wgsl: with M = max_s(m_s),
//   y = sum_s(exp(m_s - M) o_s) / sum_s(exp(m_s - M) l_s)
//
//   partial  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4 + 1]   o, then (m, l, splits, 0)
//   y        [n_rows, N_HEAD, HEAD_DIM4]
//
// A lane makes four elements of one row.
//
// requires: step.wgsl, y

override N_HEAD: u32;
override HEAD_DIM4: u32;
override MAX_SPLITS: u32;
override LANES: u32;

@group(1) @binding(0) var<storage, read> partial: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a4 = N_HEAD * HEAD_DIM4;
  let index = id.x / a4;
  if (index >= counts.n_decode_tiles) {
    return;
  }
  let head = id.x % a4 / HEAD_DIM4;
  let d4 = id.x % HEAD_DIM4;
  let tile = tiles[counts.n_prefill_tiles + index];
  let stride = HEAD_DIM4 + 1u;
  let first = (index * N_HEAD + head) * MAX_SPLITS * stride;
  let finish = first + HEAD_DIM4;
  let n_splits = u32(partial[finish].z);
  var m = partial[finish].x;
  for (var s = 1u; s < n_splits; s++) {
    m = max(m, partial[finish + s * stride].x);
  }
  var l = 0.0;
  var o = vec4f();
  for (var s = 0u; s < n_splits; s++) {
    let split = partial[finish + s * stride];
    let weight = exp(split.x - m);
    l += weight * split.y;
    o += weight * partial[first + s * stride + d4];
  }
  y_store(tile.first_row * a4 + head * HEAD_DIM4 + d4, o / l);
}
