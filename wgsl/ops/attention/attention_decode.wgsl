// Attention of single rows over the entries of their sequence, or a split of it (Flash-decoding, Dao et al. 2023), in one sweep
// with a running maximum: for row r and head h, over the entries p of the split,
//   m = max_p(q · k_p * SCALE)   l = sum_p exp(q · k_p * SCALE - m)   o = sum_p exp(q · k_p * SCALE - m) v_p
//
//   kv  see kv_groups.wgsl
//
// A workgroup handles the entries of attention_entries.wgsl, eight for each lane at a time. First each lane scores and
// weighs its own, and lanes side by side have entries side by side. Then lanes go along the head, in as many groups as V
// of an entry leaves lanes for, and each group adds up V of what one lane weighed. In the end the groups' sums are added
// up. LANES is a power of two, and at least half of HEAD_DIM4.
//
// requires: attention_entries.wgsl, attention lanes

override LANES: u32;

const OWN = 8u; // entries of a lane

// Of the first four entries of a lane, and of the other four.
struct Scores {
  near: vec4f,
  far: vec4f,
}

struct Quads {
  near: KvQuad,
  far: KvQuad,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let split = entries_of_split(workgroup);
  if (split.begin >= split.end) {
    return;
  }
  let lane = lane_begin(local.x, split.query);
  let last = split.end - 1u;
  let units = HEAD_DIM4 / kv_step(1u); // of V of an entry, read at once
  let beside = min(LANES, 1u << (32u - countLeadingZeros(units - 1u))); // lanes that read V of an entry
  let unit = min(lane % beside, units - 1u);

  var m = LOWEST; // the same in all lanes
  var l = vec4f(); // of the lane's own entries
  var sums = mat4x4f(); // of the vectors of a unit, or of two units of one
  var more = mat4x4f();
  for (var first = split.begin; first < split.end; first += OWN * LANES) {
    // Entries past the end are read as the last one and weigh nothing.
    let near = first + lane + LANES * vec4u(0u, 1u, 2u, 3u);
    let far = near + 4u * LANES;
    let near_slots = kv_slots(split.sequence, min(near, vec4u(last)));
    let far_slots = kv_slots(split.sequence, min(far, vec4u(last)));
    let near_keys = kv_heads(near_slots, 0u, split.head);
    let far_keys = kv_heads(far_slots, 0u, split.head);
    var scores = Scores();
    for (var k4 = 0u; k4 < HEAD_DIM4; k4 += kv_step(0u)) {
      let keys = quads_of(0u, near_keys, far_keys, k4 / kv_step(0u));
      scores = scored(scores, keys, k4, 0u);
      if (kv_step(0u) > 1u) {
        scores = scored(scores, keys, k4, 1u);
      }
      if (kv_step(0u) > 2u) {
        scores = scored(scored(scores, keys, k4, 2u), keys, k4, 3u);
      }
      if (kv_step(0u) > 4u) {
        scores = scored(scored(scores, keys, k4, 4u), keys, k4, 5u);
        scores = scored(scored(scores, keys, k4, 6u), keys, k4, 7u);
      }
    }
    let near_kept = (near <= vec4u(last)) & kv_visibles(split.position, split.head, near);
    let far_kept = (far <= vec4u(last)) & kv_visibles(split.position, split.head, far);
    scores.near = select(vec4f(LOWEST), SCALE * scores.near * kv_scales(0u, near_keys), near_kept);
    scores.far = select(vec4f(LOWEST), SCALE * scores.far * kv_scales(0u, far_keys), far_kept);

    let largest = max(scores.near, scores.far);
    let before = m;
    m = max(m, lanes_max(lane, max(max(largest.x, largest.y), max(largest.z, largest.w))));
    let decay = exp(before - m);
    let weights = Scores(exp(scores.near - m), exp(scores.far - m));
    l = l * decay + (weights.near + weights.far);
    sums *= decay;
    more *= decay;
    let near_values = kv_heads(near_slots, 1u, split.head);
    let far_values = kv_heads(far_slots, 1u, split.head);
    lanes_put(lane, 0u, weights.near * kv_scales(1u, near_values), near_values);
    lanes_put(lane, 1u, weights.far * kv_scales(1u, far_values), far_values);
    lanes_wait();

    let n_lanes = min(LANES, split.end - first); // that have entries: those of others weigh nothing
    for (var i = 0u; i < n_lanes; i += LANES / beside) {
      let n = i + lane / beside;
      let own = Scores(weights_of(n, 0u), weights_of(n, 1u));
      let near_begin = places_of(n, 0u);
      let far_begin = places_of(n, 1u);
      let values = quads_of(1u, near_begin, far_begin, unit);
      sums[0] = added(sums[0], values, own, 0u);
      if (kv_step(1u) > 1u) {
        sums[1] = added(sums[1], values, own, 1u);
      } else if (units > LANES) {
        let second = quads_of(1u, near_begin, far_begin, min(unit + LANES, units - 1u));
        sums[1] = added(sums[1], second, own, 0u);
      }
      if (kv_step(1u) > 2u) {
        sums[2] = added(sums[2], values, own, 2u);
        sums[3] = added(sums[3], values, own, 3u);
      }
      if (kv_step(1u) > 4u) {
        more[0] = added(more[0], values, own, 4u);
        more[1] = added(more[1], values, own, 5u);
        more[2] = added(more[2], values, own, 6u);
        more[3] = added(more[3], values, own, 7u);
      }
    }
    lanes_wait();
  }

  let total = lanes_sum(lane, vec4f((l.x + l.y) + (l.z + l.w)), 1u).x;
  let d4 = lane * kv_step(1u);
  let stores = lane < units;
  finish(split.place, d4, sums[0], total, lane, beside, stores);
  if (kv_step(1u) > 1u) {
    finish(split.place, d4 + 1u, sums[1], total, lane, beside, stores);
  } else if (units > LANES) {
    finish(split.place, d4 + LANES, sums[1], total, lane, beside, lane + LANES < units);
  }
  if (kv_step(1u) > 2u) {
    finish(split.place, d4 + 2u, sums[2], total, lane, beside, stores);
    finish(split.place, d4 + 3u, sums[3], total, lane, beside, stores);
  }
  if (kv_step(1u) > 4u) {
    finish(split.place, d4 + 4u, more[0], total, lane, beside, stores);
    finish(split.place, d4 + 5u, more[1], total, lane, beside, stores);
    finish(split.place, d4 + 6u, more[2], total, lane, beside, stores);
    finish(split.place, d4 + 7u, more[3], total, lane, beside, stores);
  }
  if (lane == 0u) {
    attention_finish(split.place, m, total, split.n_splits);
  }
}

fn quads_of(part: u32, near: vec4u, far: vec4u, nth: u32) -> Quads {
  return Quads(kv_quad(part, near, nth), kv_quad(part, far, nth));
}

// Scores with the products of vector i of those read, which is vector k4 + i of the head.
fn scored(scores: Scores, keys: Quads, k4: u32, i: u32) -> Scores {
  let query = lanes_query(k4 + i);
  return Scores(
    scores.near + query * kv_columns(0u, keys.near, i),
    scores.far + query * kv_columns(0u, keys.far, i),
  );
}

fn added(sum: vec4f, values: Quads, weights: Scores, i: u32) -> vec4f {
  return sum + kv_columns(1u, values.near, i) * weights.near + kv_columns(1u, values.far, i) * weights.far;
}

// Stores vector d4 of the head: the sum of the groups' sums.
fn finish(place: u32, d4: u32, sum: vec4f, total: f32, lane: u32, beside: u32, stores: bool) {
  let joined = lanes_sum(lane, sum, beside);
  if (stores) {
    attention_store(place, d4, joined, total);
  }
}
