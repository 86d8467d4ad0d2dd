// Scores of rows and entries, as attention computes them: q · k * SCALE, of four entries at a time.
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv  see kv_groups.wgsl
//
// requires: kv_quads.wgsl, x
// provides: row scores

override SCALE: f32;

const LOWEST = -3.0e38;
const OFFSETS = vec4u(0u, 1u, 2u, 3u);

// Where the query of a row's head begins.
fn query_of(row: u32, head: u32) -> u32 {
  return (row * 3u * N_HEAD + head) * HEAD_DIM4;
}

// Where K of four entries begins; those past the last one are read as it is.
fn keys_of(sequence: u32, head: u32, entries: vec4u, last: u32) -> vec4u {
  return kv_heads(kv_slots(sequence, min(entries, vec4u(last))), 0u, head);
}

// Scores of one row: of each entry.
fn row_score(q: u32, keys: vec4u) -> vec4f {
  var sum = vec4f();
  for (var k4 = 0u; k4 < HEAD_DIM4; k4 += kv_step(0u)) {
    let quad = kv_quad(0u, keys, k4 / kv_step(0u));
    for (var j = 0u; j < kv_step(0u); j++) {
      sum += x_load(q + k4 + j) * kv_columns(0u, quad, j);
    }
  }
  return SCALE * sum * kv_scales(0u, keys);
}

// Scores of four rows: a column for each, of each entry.
fn row_scores(q: vec4u, keys: vec4u) -> mat4x4f {
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var k4 = 0u; k4 < HEAD_DIM4; k4 += kv_step(0u)) {
    let quad = kv_quad(0u, keys, k4 / kv_step(0u));
    for (var j = 0u; j < kv_step(0u); j++) {
      let k = kv_columns(0u, quad, j);
      s0 += x_load(q.x + k4 + j) * k;
      s1 += x_load(q.y + k4 + j) * k;
      s2 += x_load(q.z + k4 + j) * k;
      s3 += x_load(q.w + k4 + j) * k;
    }
  }
  let scale = SCALE * kv_scales(0u, keys);
  return mat4x4f(s0 * scale, s1 * scale, s2 * scale, s3 * scale);
}

// The largest score and the sum of weights relative to it, of what was seen so far.
fn softened(seen: vec2f, scores: vec4f, counts: vec4<bool>) -> vec2f {
  let own = select(vec4f(LOWEST), scores, counts);
  let highest = max(seen.x, max(max(own.x, own.y), max(own.z, own.w)));
  let weights = select(vec4f(), exp(own - highest), counts);
  return vec2f(highest, seen.y * exp(seen.x - highest) + (weights.x + weights.y) + (weights.z + weights.w));
}

// Two such sums as one.
fn merged(a: vec2f, b: vec2f) -> vec2f {
  let highest = max(a.x, b.x);
  return vec2f(highest, a.y * exp(a.x - highest) + b.y * exp(b.x - highest));
}
