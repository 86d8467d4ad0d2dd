// Causal attention of up to eight consecutive rows of one sequence over their context, in one sweep with a
// running maximum (FlashAttention, Dao et al. 2022, algorithm 1): no score ever leaves workgroup memory.
//   y[r, h] = sum_p(softmax_p(q_r · k_p * SCALE) v_p), p <= position(r)
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   y   [n_rows, N_HEAD, HEAD_DIM4]
//   kv  see kv_groups.wgsl
//
// A workgroup handles one tile of rows and one head. In turns: each lane scores four positions for all rows, or eight
// where DEEP is true; the first eight lanes weigh one row each; each lane adds up four dimensions for all rows, or eight
// where WIDE is true. LANES is at least 8, at most 64 (32 if DEEP), and at least HEAD_DIM4, or half of that if WIDE. The grid is
// (prefill tiles, heads). Rows are written out: an array with a variable index would lie in memory, and compilers don't
// unroll loops that naga bounds with a counter of its own.
//
// requires: step.wgsl, kv_quads.wgsl, kv parts, x, y

const ROWS = 8u;
const LOWEST = -3.0e38;

override SCALE: f32;
override LANES: u32;
override WIDE: bool;
override DEEP: bool;
override POSITIONS: u32 = LANES * select(4u, 8u, DEEP); // that the lanes score at a time

var<workgroup> scores: array<f32, POSITIONS * ROWS>;
var<workgroup> values: array<u32, POSITIONS>; // where V begins
var<workgroup> value_scale: array<f32, POSITIONS>;
var<workgroup> decay: array<f32, ROWS>; // what the sums so far are multiplied by
var<workgroup> total: array<f32, ROWS>; // sum of the weights so far

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  let head = workgroup.y;
  let tile = tiles[workgroup.x];
  let a4 = N_HEAD * HEAD_DIM4;
  let last_position = tile.first_position + tile.n_rows - 1u;
  let last_row = tile.n_rows - 1u;
  let q = tile.first_row * 3u * a4 + head * HEAD_DIM4;
  let q0 = q;
  let q1 = q + min(1u, last_row) * 3u * a4;
  let q2 = q + min(2u, last_row) * 3u * a4;
  let q3 = q + min(3u, last_row) * 3u * a4;
  let q4 = q + min(4u, last_row) * 3u * a4;
  let q5 = q + min(5u, last_row) * 3u * a4;
  let q6 = q + min(6u, last_row) * 3u * a4;
  let q7 = q + min(7u, last_row) * 3u * a4;

  let positions = select(4u, 8u, DEEP); // that a lane scores at a time
  let width = select(1u, 2u, WIDE); // vectors of the head that a lane adds up

  var m = LOWEST; // lane r < ROWS: the largest score of row r so far
  var l = 0.0; // lane r < ROWS: the sum of its weights so far
  var o0 = vec4f();
  var o1 = vec4f();
  var o2 = vec4f();
  var o3 = vec4f();
  var o4 = vec4f();
  var o5 = vec4f();
  var o6 = vec4f();
  var o7 = vec4f();
  var w0 = vec4f();
  var w1 = vec4f();
  var w2 = vec4f();
  var w3 = vec4f();
  var w4 = vec4f();
  var w5 = vec4f();
  var w6 = vec4f();
  var w7 = vec4f();

  let n_entries = kv_entries(tile.sequence, head, last_position);
  let last = n_entries - 1u;
  for (var first = 0u; first < n_entries; first += positions * LANES) {
    // Entries past the last one score as it does and get the weight zero below.
    let p = first + positions * lane;
    let offsets = vec4u(0u, 1u, 2u, 3u);
    let slots = kv_slots(tile.sequence, min(p + offsets, vec4u(last)));
    var far_slots = slots;
    if (DEEP) {
      far_slots = kv_slots(tile.sequence, min(p + 4u + offsets, vec4u(last)));
    }
    let keys = kv_heads(slots, 0u, head);
    let far_keys = kv_heads(far_slots, 0u, head);
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    var s4 = vec4f();
    var s5 = vec4f();
    var s6 = vec4f();
    var s7 = vec4f();
    var t0 = vec4f();
    var t1 = vec4f();
    var t2 = vec4f();
    var t3 = vec4f();
    var t4 = vec4f();
    var t5 = vec4f();
    var t6 = vec4f();
    var t7 = vec4f();
    for (var k4 = 0u; k4 < HEAD_DIM4; k4 += kv_step(0u)) {
      let quad = kv_quad(0u, keys, k4 / kv_step(0u));
      var far_quad = quad;
      if (DEEP) {
        far_quad = kv_quad(0u, far_keys, k4 / kv_step(0u));
      }
      for (var j = 0u; j < kv_step(0u); j++) {
        let d4 = k4 + j;
        let k = kv_columns(0u, quad, j);
        let x0 = x_load(q0 + d4);
        let x1 = x_load(q1 + d4);
        let x2 = x_load(q2 + d4);
        let x3 = x_load(q3 + d4);
        let x4 = x_load(q4 + d4);
        let x5 = x_load(q5 + d4);
        let x6 = x_load(q6 + d4);
        let x7 = x_load(q7 + d4);
        s0 += x0 * k;
        s1 += x1 * k;
        s2 += x2 * k;
        s3 += x3 * k;
        s4 += x4 * k;
        s5 += x5 * k;
        s6 += x6 * k;
        s7 += x7 * k;
        if (DEEP) {
          let far = kv_columns(0u, far_quad, j);
          t0 += x0 * far;
          t1 += x1 * far;
          t2 += x2 * far;
          t3 += x3 * far;
          t4 += x4 * far;
          t5 += x5 * far;
          t6 += x6 * far;
          t7 += x7 * far;
        }
      }
    }
    let at_lane = positions * lane;
    let key_scale = SCALE * kv_scales(0u, keys);
    let v = kv_heads(slots, 1u, head);
    let v_scale = kv_scales(1u, v);
    for (var i = 0u; i < 4u; i++) {
      values[at_lane + i] = v[i];
      value_scale[at_lane + i] = v_scale[i];
      let at = (at_lane + i) * ROWS;
      scores[at] = s0[i] * key_scale[i];
      scores[at + 1u] = s1[i] * key_scale[i];
      scores[at + 2u] = s2[i] * key_scale[i];
      scores[at + 3u] = s3[i] * key_scale[i];
      scores[at + 4u] = s4[i] * key_scale[i];
      scores[at + 5u] = s5[i] * key_scale[i];
      scores[at + 6u] = s6[i] * key_scale[i];
      scores[at + 7u] = s7[i] * key_scale[i];
    }
    if (DEEP) {
      let far_scale = SCALE * kv_scales(0u, far_keys);
      let far_v = kv_heads(far_slots, 1u, head);
      let far_v_scale = kv_scales(1u, far_v);
      for (var i = 0u; i < 4u; i++) {
        values[at_lane + 4u + i] = far_v[i];
        value_scale[at_lane + 4u + i] = far_v_scale[i];
        let at = (at_lane + 4u + i) * ROWS;
        scores[at] = t0[i] * far_scale[i];
        scores[at + 1u] = t1[i] * far_scale[i];
        scores[at + 2u] = t2[i] * far_scale[i];
        scores[at + 3u] = t3[i] * far_scale[i];
        scores[at + 4u] = t4[i] * far_scale[i];
        scores[at + 5u] = t5[i] * far_scale[i];
        scores[at + 6u] = t6[i] * far_scale[i];
        scores[at + 7u] = t7[i] * far_scale[i];
      }
    }
    workgroupBarrier();

    let n_tokens = min(positions * LANES, n_entries - first);
    if (lane < ROWS) {
      let position = tile.first_position + lane;
      var highest = m;
      let n_own = kv_entries(tile.sequence, head, position);
      for (var i = 0u; i < n_tokens && first + i < n_own; i++) {
        if (kv_visible(position, head, first + i)) {
          highest = max(highest, scores[i * ROWS + lane]);
        }
      }
      let factor = exp(m - highest);
      l *= factor;
      for (var i = 0u; i < n_tokens; i++) {
        var weight = 0.0;
        if (first + i < n_own && kv_visible(position, head, first + i)) {
          weight = exp(scores[i * ROWS + lane] - highest);
        }
        l += weight;
        if (part_steps(1u) > 0.0) {
          weight *= value_scale[i];
        }
        scores[i * ROWS + lane] = weight;
      }
      m = highest;
      decay[lane] = factor;
      total[lane] = l;
    }
    workgroupBarrier();

    let d4 = min(width * lane, HEAD_DIM4 - 1u);
    let e4 = min(d4 + 1u, HEAD_DIM4 - 1u);
    o0 *= decay[0];
    o1 *= decay[1];
    o2 *= decay[2];
    o3 *= decay[3];
    o4 *= decay[4];
    o5 *= decay[5];
    o6 *= decay[6];
    o7 *= decay[7];
    if (WIDE) {
      w0 *= decay[0];
      w1 *= decay[1];
      w2 *= decay[2];
      w3 *= decay[3];
      w4 *= decay[4];
      w5 *= decay[5];
      w6 *= decay[6];
      w7 *= decay[7];
    }
    for (var i = 0u; i < n_tokens; i++) {
      let v = values[i];
      let at = i * ROWS;
      let fetched = kv_fetch(1u, v, d4 / kv_step(1u));
      let near = kv_take(1u, fetched, d4 % kv_step(1u));
      let p0 = scores[at];
      let p1 = scores[at + 1u];
      let p2 = scores[at + 2u];
      let p3 = scores[at + 3u];
      let p4 = scores[at + 4u];
      let p5 = scores[at + 5u];
      let p6 = scores[at + 6u];
      let p7 = scores[at + 7u];
      o0 += p0 * near;
      o1 += p1 * near;
      o2 += p2 * near;
      o3 += p3 * near;
      o4 += p4 * near;
      o5 += p5 * near;
      o6 += p6 * near;
      o7 += p7 * near;
      if (WIDE) {
        var far_fetched = fetched;
        if (kv_step(1u) == 1u) {
          far_fetched = kv_fetch(1u, v, e4);
        }
        let far = kv_take(1u, far_fetched, e4 % kv_step(1u));
        w0 += p0 * far;
        w1 += p1 * far;
        w2 += p2 * far;
        w3 += p3 * far;
        w4 += p4 * far;
        w5 += p5 * far;
        w6 += p6 * far;
        w7 += p7 * far;
      }
    }
    workgroupBarrier();
  }

  let begin = tile.first_row * a4 + head * HEAD_DIM4;
  if (width * lane < HEAD_DIM4) {
    let out = begin + width * lane;
    y_store(out, o0 / total[0]);
    if (tile.n_rows > 1u) { y_store(out + a4, o1 / total[1]); }
    if (tile.n_rows > 2u) { y_store(out + 2u * a4, o2 / total[2]); }
    if (tile.n_rows > 3u) { y_store(out + 3u * a4, o3 / total[3]); }
    if (tile.n_rows > 4u) { y_store(out + 4u * a4, o4 / total[4]); }
    if (tile.n_rows > 5u) { y_store(out + 5u * a4, o5 / total[5]); }
    if (tile.n_rows > 6u) { y_store(out + 6u * a4, o6 / total[6]); }
    if (tile.n_rows > 7u) { y_store(out + 7u * a4, o7 / total[7]); }
  }
  if (WIDE && 2u * lane + 1u < HEAD_DIM4) {
    let out = begin + 2u * lane + 1u;
    y_store(out, w0 / total[0]);
    if (tile.n_rows > 1u) { y_store(out + a4, w1 / total[1]); }
    if (tile.n_rows > 2u) { y_store(out + 2u * a4, w2 / total[2]); }
    if (tile.n_rows > 3u) { y_store(out + 3u * a4, w3 / total[3]); }
    if (tile.n_rows > 4u) { y_store(out + 4u * a4, w4 / total[4]); }
    if (tile.n_rows > 5u) { y_store(out + 5u * a4, w5 / total[5]); }
    if (tile.n_rows > 6u) { y_store(out + 6u * a4, w6 / total[6]); }
    if (tile.n_rows > 7u) { y_store(out + 7u * a4, w7 / total[7]); }
  }
}
