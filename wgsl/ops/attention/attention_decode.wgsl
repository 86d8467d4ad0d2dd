// Attention of single rows over the entries of their sequence, or a split of it (Flash-decoding, Dao et al. 2023), in one sweep
// with a running maximum: for row r and head h, over the entries p of the split,
//   m = max_p(q · k_p * SCALE)   l = sum_p exp(q · k_p * SCALE - m)   o = sum_p exp(q · k_p * SCALE - m) v_p
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv  see kv_groups.wgsl
//
// A workgroup handles one split of SPLIT_TOKENS entries of one head of one row, CHUNK at a time: first each lane scores
// entries, four at a time, or eight where DEEP is true, and weighs them; then each adds up four of the head's
// dimensions, or eight where WIDE is true. LANES is at least HEAD_DIM4, or half of that if WIDE; it is at most 64. The
// grid is (splits, heads, decode tiles).
// Which entries there are and which of them a row attends to is the strategy's: see kv_all.wgsl.
//
// requires: step.wgsl, kv_quads.wgsl, x, attention result

const CHUNK = 256u;
const LOWEST = -3.0e38;

override SCALE: f32;
override SPLIT_TOKENS: u32; // a multiple of four
override LANES: u32;
override WIDE: bool;
override DEEP: bool;

var<workgroup> scores: array<vec4f, CHUNK / 4u>; // then what V is multiplied by
var<workgroup> values: array<vec4u, CHUNK / 4u>; // where V of each entry begins
var<workgroup> highest: array<f32, LANES>; // by lane: the largest score
var<workgroup> totals: array<f32, LANES>; // by lane: the sum of the weights

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let head = workgroup.y;
  let tile = tiles[counts.n_prefill_tiles + workgroup.z];
  let begin = workgroup.x * SPLIT_TOKENS;
  let position = tile.first_position;
  let n_entries = kv_entries(tile.sequence, head, position);
  if (begin >= n_entries) {
    return;
  }
  let end = min(n_entries, begin + SPLIT_TOKENS);
  let last = end - 1u;
  let quads = select(1u, 2u, DEEP); // of entries that a lane scores at a time
  let q = (tile.first_row * 3u * N_HEAD + head) * HEAD_DIM4;
  let width = select(1u, 2u, WIDE); // vectors of the head that a lane adds up
  let d4 = min(width * local.x, HEAD_DIM4 - 1u);
  let e4 = min(d4 + 1u, HEAD_DIM4 - 1u);

  var m = LOWEST; // the same in all lanes, as is l
  var l = 0.0;
  var near = vec4f();
  var far = vec4f();
  for (var first = begin; first < end; first += CHUNK) {
    let n_quads = (min(CHUNK, end - first) + 3u) / 4u;
    var largest = vec4f(LOWEST);
    for (var i = quads * local.x; i < n_quads; i += quads * LANES) {
      // Entries past the end are read as the last one and weigh nothing.
      let entries = first + 4u * i + vec4u(0u, 1u, 2u, 3u);
      let far_entries = entries + 4u;
      let slots = kv_slots(tile.sequence, min(entries, vec4u(last)));
      var far_slots = slots;
      if (DEEP) {
        far_slots = kv_slots(tile.sequence, min(far_entries, vec4u(last)));
      }
      let keys = kv_heads(slots, 0u, head);
      let far_keys = kv_heads(far_slots, 0u, head);
      var sum = vec4f();
      var far_sum = vec4f();
      for (var k4 = 0u; k4 < HEAD_DIM4; k4 += kv_step(0u)) {
        let quad = kv_quad(0u, keys, k4 / kv_step(0u));
        var far_quad = quad;
        if (DEEP) {
          far_quad = kv_quad(0u, far_keys, k4 / kv_step(0u));
        }
        for (var j = 0u; j < kv_step(0u); j++) {
          let query = x_load(q + k4 + j);
          sum += query * kv_columns(0u, quad, j);
          if (DEEP) {
            far_sum += query * kv_columns(0u, far_quad, j);
          }
        }
      }
      let kept = (entries <= vec4u(last)) & kv_visibles(position, head, entries);
      scores[i] = select(vec4f(LOWEST), SCALE * sum * kv_scales(0u, keys), kept);
      values[i] = kv_heads(slots, 1u, head);
      largest = max(largest, scores[i]);
      if (DEEP) {
        let far_kept = (far_entries <= vec4u(last)) & kv_visibles(position, head, far_entries);
        scores[i + 1u] = select(vec4f(LOWEST), SCALE * far_sum * kv_scales(0u, far_keys), far_kept);
        values[i + 1u] = kv_heads(far_slots, 1u, head);
        largest = max(largest, scores[i + 1u]);
      }
    }
    highest[local.x] = max(max(largest.x, largest.y), max(largest.z, largest.w));
    workgroupBarrier();

    let before = m;
    for (var i = 0u; i < LANES; i++) {
      m = max(m, highest[i]);
    }
    var weights = vec4f();
    for (var i = local.x; i < n_quads; i += LANES) {
      let weight = exp(scores[i] - m);
      weights += weight;
      scores[i] = weight * kv_scales(1u, values[i]);
    }
    totals[local.x] = (weights.x + weights.y) + (weights.z + weights.w);
    workgroupBarrier();

    let decay = exp(before - m);
    l *= decay;
    for (var i = 0u; i < LANES; i++) {
      l += totals[i];
    }
    near *= decay;
    far *= decay;
    for (var i = 0u; i < n_quads; i++) {
      let v = values[i];
      let weight = scores[i];
      let quad = kv_quad(1u, v, d4 / kv_step(1u));
      near += kv_columns(1u, quad, d4 % kv_step(1u)) * weight;
      if (WIDE && kv_step(1u) > 1u) {
        far += kv_columns(1u, quad, e4 % kv_step(1u)) * weight;
      } else if (WIDE) {
        far += kv_columns(1u, kv_quad(1u, v, e4), 0u) * weight;
      }
    }
    workgroupBarrier();
  }
  let place = attention_place(tile.first_row, head, workgroup);
  if (width * local.x < HEAD_DIM4) {
    attention_store(place, d4, near, l);
  }
  if (WIDE && 2u * local.x + 1u < HEAD_DIM4) {
    attention_store(place, e4, far, l);
  }
  if (local.x == 0u) {
    attention_finish(place, m, l, (n_entries + SPLIT_TOKENS - 1u) / SPLIT_TOKENS);
  }
}
