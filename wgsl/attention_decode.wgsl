// Attention of single rows over their whole context, split along the context (Flash-decoding, Dao et al. 2023):
// for split s of row r and head h, over the positions p of the split,
//   m = max_p(q · k_p * SCALE)   l = sum_p exp(q · k_p * SCALE - m)   o = sum_p exp(q · k_p * SCALE - m) v_p
// attention_combine.wgsl joins the splits.
//
//   qkv      [n_rows, 3, N_HEAD, HEAD_DIM4]
//   partial  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4]   o
//   scale    [n_decode_tiles, N_HEAD, MAX_SPLITS]              (m, l)
//   kv       see kv_f32.wgsl
//
// A workgroup handles one split of one head of one row: first each lane scores and weighs positions, four at a time,
// then each adds up four of the head's dimensions, or eight where WIDE is true. LANES is at least HEAD_DIM4, or half of that
// if WIDE; it is at most 64. The grid is (splits, heads, decode tiles).
// Joined after step.wgsl, kv_contiguous.wgsl or kv_paged.wgsl, and kv_f32.wgsl, kv_f16.wgsl or kv_int8.wgsl.

const SPLIT_TOKENS = 64u;
const LOWEST = -3.0e38;

override SCALE: f32;
override MAX_SPLITS: u32;
override LANES: u32;
override WIDE: bool;

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> partial: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> scale: array<vec2f>;

var<workgroup> scores: array<f32, SPLIT_TOKENS>; // then what V is multiplied by
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

  let q = (tile.first_row * 3u * N_HEAD + head) * HEAD_DIM4;
  var largest = LOWEST;
  for (var i = 4u * local.x; i < n_tokens; i += 4u * LANES) {
    // Positions past the split's end score as the last one and are never looked at.
    let p = first + i;
    let last = first + n_tokens - 1u;
    let slots = vec4u(
      kv_slot(tile.sequence, p),
      kv_slot(tile.sequence, min(p + 1u, last)),
      kv_slot(tile.sequence, min(p + 2u, last)),
      kv_slot(tile.sequence, min(p + 3u, last)),
    );
    let k0 = kv_head(slots.x, 0u, head);
    let k1 = kv_head(slots.y, 0u, head);
    let k2 = kv_head(slots.z, 0u, head);
    let k3 = kv_head(slots.w, 0u, head);
    var sum = vec4f();
    for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
      sum += qkv[q + d4] * mat4x4f(kv_load(k0 + d4), kv_load(k1 + d4), kv_load(k2 + d4), kv_load(k3 + d4));
    }
    sum *= SCALE;
    if (KV_SCALED) {
      sum *= vec4f(
        kv_scale(slots.x, 0u, head),
        kv_scale(slots.y, 0u, head),
        kv_scale(slots.z, 0u, head),
        kv_scale(slots.w, 0u, head),
      );
    }
    scores[i] = sum.x;
    scores[i + 1u] = sum.y;
    scores[i + 2u] = sum.z;
    scores[i + 3u] = sum.w;
    largest = max(largest, max(max(sum.x, sum.y), max(sum.z, sum.w)));
  }
  parts[local.x] = largest;
  workgroupBarrier();
  var m = LOWEST;
  for (var i = 0u; i < LANES; i++) {
    m = max(m, parts[i]);
  }
  workgroupBarrier();

  var weights = 0.0;
  for (var i = 4u * local.x; i < n_tokens; i += 4u * LANES) {
    for (var j = i; j < min(i + 4u, n_tokens); j++) {
      let weight = exp(scores[j] - m);
      weights += weight;
      scores[j] = weight;
      if (KV_SCALED) {
        scores[j] = weight * kv_scale(kv_slot(tile.sequence, first + j), 1u, head);
      }
    }
  }
  parts[local.x] = weights;
  workgroupBarrier();

  var near = vec4f();
  var far = vec4f();
  let d4 = min(local.x, HEAD_DIM4 - 1u);
  for (var i = 0u; i < n_tokens; i++) {
    let v = kv_head(kv_slot(tile.sequence, first + i), 1u, head);
    let weight = scores[i];
    near += weight * kv_load(v + d4);
    if (WIDE) {
      far += weight * kv_load(v + min(d4 + LANES, HEAD_DIM4 - 1u));
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
