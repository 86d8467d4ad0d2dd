// The probabilities that each token of a prompt gets from the rows that are observed: for head h, over rows r from the
// first observed one on,
//   scores[p] = sum_r softmax_p(q_r · k_p * SCALE)
//
//   x     [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   work  norms and scores: see kept_work.wgsl
//   kv    see kv_groups.wgsl
//
// A lane adds up four entries of one head. The grid is (entries, heads, sequences).
//
// requires: kv_kept.wgsl, step.wgsl, row scores, kept_work.wgsl

override LANES: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.y;
  let sequence = id.z;
  let span = places[sequence];
  let first = 4u * id.x;
  if (first >= span.length) {
    return;
  }
  let entries = vec4u(first) + OFFSETS;
  let keys = keys_of(sequence, head, entries, span.length - 1u);
  var sum = vec4f();
  for (var row = max(span.first_observed, first) / 4u * 4u; row < span.length; row += 4u) {
    let positions = vec4u(row) + OFFSETS;
    let of_step = vec4u(span.first_row) + min(positions, vec4u(span.length - 1u));
    let s = row_scores(
      vec4u(
        query_of(of_step.x, head),
        query_of(of_step.y, head),
        query_of(of_step.z, head),
        query_of(of_step.w, head),
      ),
      keys,
    );
    let observed = (positions >= vec4u(span.first_observed)) & (positions < vec4u(span.length));
    sum += weights_of(s[0], norm_of(of_step.x, head), vec4<bool>(observed.x) & (entries <= positions.xxxx));
    sum += weights_of(s[1], norm_of(of_step.y, head), vec4<bool>(observed.y) & (entries <= positions.yyyy));
    sum += weights_of(s[2], norm_of(of_step.z, head), vec4<bool>(observed.z) & (entries <= positions.zzzz));
    sum += weights_of(s[3], norm_of(of_step.w, head), vec4<bool>(observed.w) & (entries <= positions.wwww));
  }
  let to = prompt_place(sequence, head, N_HEAD) + 3u * first;
  for (var i = 0u; i < min(4u, span.length - first); i++) {
    work[to + 3u * i] = sum[i];
  }
}

fn norm_of(row: u32, head: u32) -> vec2f {
  let at = norm_place(row, head, N_HEAD);
  return vec2f(work[at], work[at + 1u]);
}

// Probabilities, and 0 where a row is not observed or comes before the entry.
fn weights_of(s: vec4f, norm: vec2f, counts: vec4<bool>) -> vec4f {
  return select(vec4f(), exp(s - norm.x) * norm.y, counts);
}
