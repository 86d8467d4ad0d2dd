// Attention of single rows over their whole context, split along the context (Flash-decoding, Dao et al. 2023):
// for split s of row r and head h, over the positions p of the split,
//   m = max_p(q · k_p * SCALE)   l = sum_p exp(q · k_p * SCALE - m)   o = sum_p exp(q · k_p * SCALE - m) v_p
// attention_combine.wgsl joins the splits.
//
//   x        [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   partial  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4]   o
//   scale    [n_decode_tiles, N_HEAD, MAX_SPLITS]              (m, l)
//   kv       see kv_groups.wgsl
//
// A workgroup handles one split of one head of one row: first each lane scores positions, four at a time, or eight
// where DEEP is true, and weighs them; then each adds up four of the head's dimensions, or eight where WIDE is true.
// LANES is at least HEAD_DIM4, or half of that if WIDE; it is at most 64. The grid is (splits, heads, decode tiles).
// Joined after step.wgsl, kv_quads.wgsl and one of the x_….wgsl files.

const SPLIT_TOKENS = 64u;
const LOWEST = -3.0e38;

override SCALE: f32;
override MAX_SPLITS: u32;
override LANES: u32;
override WIDE: bool;
override DEEP: bool;

@group(1) @binding(1) var<storage, read_write> partial: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> scale: array<vec2f>;

var<workgroup> scores: array<vec4f, SPLIT_TOKENS / 4u>; // then what V is multiplied by
var<workgroup> values: array<vec4u, SPLIT_TOKENS / 4u>; // where V of each position begins
var<workgroup> parts: array<f32, 64>; // of the largest score, then of the sum of the weights

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let split = workgroup.x;
  let head = workgroup.y;
  let tile = tiles[counts.n_prefill_tiles + workgroup.z];
  let first = split * SPLIT_TOKENS;
  let context = tile.first_position + 1u;
  if (first >= context) {
    return;
  }
  let n_tokens = min(SPLIT_TOKENS, context - first);
  let n_quads = (n_tokens + 3u) / 4u;
  let last = context - 1u;
  let quads = select(1u, 2u, DEEP); // of positions that a lane scores at a time

  let q = (tile.first_row * 3u * N_HEAD + head) * HEAD_DIM4;
  var largest = vec4f(LOWEST);
  for (var i = quads * local.x; i < n_quads; i += quads * LANES) {
    // Positions past the context are read as the last one and weigh nothing.
    let wanted = first + 4u * i + vec4u(0u, 1u, 2u, 3u);
    let far_wanted = wanted + 4u;
    let slots = kv_slots(tile.sequence, min(wanted, vec4u(last)));
    var far_slots = slots;
    if (DEEP) {
      far_slots = kv_slots(tile.sequence, min(far_wanted, vec4u(last)));
    }
    let keys = kv_heads(slots, 0u, head);
    let far_keys = kv_heads(far_slots, 0u, head);
    var sum = vec4f();
    var far_sum = vec4f();
    for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
      let query = x_load(q + d4);
      sum += query * kv_columns(keys, d4);
      if (DEEP) {
        far_sum += query * kv_columns(far_keys, d4);
      }
    }
    scores[i] = select(SCALE * sum * kv_scales(keys), vec4f(LOWEST), wanted > vec4u(last));
    values[i] = kv_heads(slots, 1u, head);
    largest = max(largest, scores[i]);
    if (DEEP) {
      scores[i + 1u] = select(SCALE * far_sum * kv_scales(far_keys), vec4f(LOWEST), far_wanted > vec4u(last));
      values[i + 1u] = kv_heads(far_slots, 1u, head);
      largest = max(largest, scores[i + 1u]);
    }
  }
  parts[local.x] = max(max(largest.x, largest.y), max(largest.z, largest.w));
  workgroupBarrier();
  var m = LOWEST;
  for (var i = 0u; i < LANES; i++) {
    m = max(m, parts[i]);
  }
  workgroupBarrier();

  var weights = vec4f();
  for (var i = local.x; i < n_quads; i += LANES) {
    let weight = exp(scores[i] - m);
    weights += weight;
    scores[i] = weight * kv_scales(values[i]);
  }
  parts[local.x] = (weights.x + weights.y) + (weights.z + weights.w);
  workgroupBarrier();

  var near = vec4f();
  var far = vec4f();
  let d4 = min(local.x, HEAD_DIM4 - 1u);
  let e4 = min(d4 + LANES, HEAD_DIM4 - 1u);
  for (var i = 0u; i < n_quads; i++) {
    let v = values[i];
    let weight = scores[i];
    near += kv_columns(v, d4) * weight;
    if (WIDE) {
      far += kv_columns(v, e4) * weight;
    }
  }
  let j = (workgroup.z * N_HEAD + head) * MAX_SPLITS + split;
  if (local.x < HEAD_DIM4) {
    partial[j * HEAD_DIM4 + local.x] = near;
  }
  if (WIDE && local.x + LANES < HEAD_DIM4) {
    partial[j * HEAD_DIM4 + local.x + LANES] = far;
  }
  if (local.x == 0u) {
    var l = 0.0;
    for (var i = 0u; i < LANES; i++) {
      l += parts[i];
    }
    scale[j] = vec2f(m, l);
  }
}
