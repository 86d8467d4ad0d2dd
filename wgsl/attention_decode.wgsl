// Attention of single rows over their whole context, split along the context (Flash-decoding, Dao et al. 2023):
// for split s of row r and head h, over the positions p of the split,
//   m = max_p(q · k_p * SCALE)   l = sum_p exp(q · k_p * SCALE - m)   o = sum_p exp(q · k_p * SCALE - m) v_p
// attention_combine.wgsl joins the splits.
//
//   qkv      [n_rows, 3, N_HEAD, HEAD_DIM4]
//   partial  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4]   o
//   scale    [n_decode_tiles, N_HEAD, MAX_SPLITS]              (m, l)
//   kv       see kv_contiguous.wgsl
//
// A workgroup handles one split of one head of one row: first each lane scores four positions at a time, then each
// adds up four of the head's dimensions, or eight where WIDE is true. LANES is at least HEAD_DIM4, or half of that
// if WIDE. The grid is (splits, heads, decode tiles).
// Joined after step.wgsl and kv_contiguous.wgsl or kv_paged.wgsl.

const SPLIT_TOKENS = 64u;

override N_HEAD: u32;
override HEAD_DIM4: u32;
override SCALE: f32;
override MAX_SPLITS: u32;
override LANES: u32;
override WIDE: bool;

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> partial: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> scale: array<vec2f>;

var<workgroup> scores: array<f32, SPLIT_TOKENS>;

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
  let a4 = N_HEAD * HEAD_DIM4;

  let q = tile.first_row * 3u * a4 + head * HEAD_DIM4;
  for (var i = 4u * local.x; i < n_tokens; i += 4u * LANES) {
    // Positions past the split's end score as the last one and are never looked at.
    let p = first + i;
    let last = first + n_tokens - 1u;
    let k0 = kv_slot(tile.sequence, p) * 2u * a4 + head * HEAD_DIM4;
    let k1 = kv_slot(tile.sequence, min(p + 1u, last)) * 2u * a4 + head * HEAD_DIM4;
    let k2 = kv_slot(tile.sequence, min(p + 2u, last)) * 2u * a4 + head * HEAD_DIM4;
    let k3 = kv_slot(tile.sequence, min(p + 3u, last)) * 2u * a4 + head * HEAD_DIM4;
    var sum = vec4f();
    for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
      sum += qkv[q + d4] * mat4x4f(kv[k0 + d4], kv[k1 + d4], kv[k2 + d4], kv[k3 + d4]);
    }
    scores[i] = sum.x * SCALE;
    scores[i + 1u] = sum.y * SCALE;
    scores[i + 2u] = sum.z * SCALE;
    scores[i + 3u] = sum.w * SCALE;
  }
  workgroupBarrier();

  var m = scores[0];
  for (var i = 1u; i < n_tokens; i++) {
    m = max(m, scores[i]);
  }
  var l = 0.0;
  var near = vec4f();
  var far = vec4f();
  let d4 = min(local.x, HEAD_DIM4 - 1u);
  for (var i = 0u; i < n_tokens; i++) {
    let v = (kv_slot(tile.sequence, first + i) * 2u + 1u) * a4 + head * HEAD_DIM4;
    let weight = exp(scores[i] - m);
    l += weight;
    near += weight * kv[v + d4];
    if (WIDE) {
      far += weight * kv[v + min(d4 + LANES, HEAD_DIM4 - 1u)];
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
    scale[j] = vec2f(m, l);
  }
}
