// Attention of single rows as in attention_decode.wgsl, with lanes along the head rather than along the context, for
// hardware GPUs: neighbouring lanes read neighbouring vectors, and all of them read K as well as V.
//
//   kv  see kv_groups.wgsl
//
// A workgroup handles the entries of attention_entries.wgsl, CHUNK at a time. First each lane finds one entry. Then
// HEAD_LANES lanes read K of one entry, a vector each; a lane has those of up to sixteen entries under way at once. Each
// lane adds up and weighs the score of its own entry, while V of the chunk is on its way. In the end the lanes of each
// vector are added up.
//
// requires: attention_entries.wgsl, x

override LANES: u32; // a power of two, at least HEAD_LANES
override HEAD_LANES: u32; // HEAD_DIM4 rounded up to a power of two, at least 4
override CHUNK: u32; // LANES, or as many entries as give each lane sixteen vectors
override ENTRY_PARTS: u32 = HEAD_LANES + 1u; // one more than there are, so that lanes meet different banks

var<workgroup> keys: array<u32, CHUNK>; // where K of each entry begins
var<workgroup> values: array<u32, CHUNK>; // where V of each entry begins
var<workgroup> parts: array<f32, CHUNK * ENTRY_PARTS>; // of each entry's score, by vector of the head
var<workgroup> weights: array<f32, CHUNK>; // what V is multiplied by
var<workgroup> lane_values: array<f32, LANES>;
var<workgroup> sums: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  let split = entries_of_split(workgroup);
  if (split.begin >= split.end) {
    return;
  }
  let last = split.end - 1u;
  let d4 = lane % HEAD_LANES;
  let within = min(d4, HEAD_DIM4 - 1u);
  let query = select(vec4f(), SCALE * x_load(split.query + within), d4 < HEAD_DIM4);

  var m = LOWEST; // the same in all lanes
  var l = 0.0; // of the lane's own entries
  var sum = vec4f();
  for (var first = split.begin; first < split.end; first += CHUNK) {
    // Entries past the end are read as the last one and weigh nothing.
    var kept = false;
    var key_scale = 0.0;
    var value_scale = 0.0;
    if (lane < CHUNK) {
      let entry = first + lane;
      let slot = kv_slot(split.sequence, min(entry, last));
      let key = kv_head(slot, 0u, split.head);
      let value = kv_head(slot, 1u, split.head);
      keys[lane] = key;
      values[lane] = value;
      kept = entry <= last && kv_visible(split.position, split.head, entry);
      key_scale = kv_scale(0u, key);
      value_scale = kv_scale(1u, value);
    }
    workgroupBarrier();

    let k = fetch(0u, lane, within);
    add_parts(lane, 0u, query * columns(0u, k.a, within));
    if (HEAD_LANES > 4u) {
      add_parts(lane, 4u, query * columns(0u, k.b, within));
    }
    if (HEAD_LANES > 8u) {
      add_parts(lane, 8u, query * columns(0u, k.c, within));
      add_parts(lane, 12u, query * columns(0u, k.d, within));
    }
    let v = fetch(1u, lane, within);
    workgroupBarrier();

    var score = LOWEST;
    if (kept) {
      score = key_scale * score_of(lane);
    }
    let before = m;
    m = max(m, highest(lane, score));
    let weight = select(0.0, exp(score - m), lane < CHUNK);
    let decay = exp(before - m);
    l = l * decay + weight;
    if (lane < CHUNK) {
      weights[lane] = weight * value_scale;
    }
    workgroupBarrier();

    sum = sum * decay + columns(1u, v.a, within) * weights_of(lane, 0u);
    if (HEAD_LANES > 4u) {
      sum += columns(1u, v.b, within) * weights_of(lane, 4u);
    }
    if (HEAD_LANES > 8u) {
      sum += columns(1u, v.c, within) * weights_of(lane, 8u);
      sum += columns(1u, v.d, within) * weights_of(lane, 12u);
    }
  }

  lane_values[lane] = l;
  sums[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_values[lane] += lane_values[lane + half];
      if (half >= HEAD_LANES) {
        sums[lane] += sums[lane + half];
      }
    }
  }
  workgroupBarrier();
  if (lane < HEAD_DIM4) {
    attention_store(split.place, lane, sums[lane], lane_values[0]);
  }
  if (lane == 0u) {
    attention_finish(split.place, m, lane_values[0], split.n_splits);
  }
}

// What a lane reads of a chunk: a vector of each of sixteen entries, or as many as there are.
struct Fetched {
  a: KvQuad,
  b: KvQuad,
  c: KvQuad,
  d: KvQuad,
}

// The nth entry that a lane reads of a chunk.
fn entry_of(lane: u32, nth: u32) -> u32 {
  return lane / HEAD_LANES + nth * (LANES / HEAD_LANES);
}

fn entries_of(lane: u32, nth: u32) -> vec4u {
  return vec4u(entry_of(lane, nth), entry_of(lane, nth + 1u), entry_of(lane, nth + 2u), entry_of(lane, nth + 3u));
}

fn fetch_quad(part: u32, lane: u32, nth: u32, d4: u32) -> KvQuad {
  let e = entries_of(lane, nth);
  var begin = vec4u(values[e.x], values[e.y], values[e.z], values[e.w]);
  if (part == 0u) {
    begin = vec4u(keys[e.x], keys[e.y], keys[e.z], keys[e.w]);
  }
  return kv_quad(part, begin, d4 / kv_step(part));
}

// They are written out, since compilers don't unroll loops that naga bounds with a counter of its own.
fn fetch(part: u32, lane: u32, d4: u32) -> Fetched {
  var fetched: Fetched;
  fetched.a = fetch_quad(part, lane, 0u, d4);
  if (HEAD_LANES > 4u) {
    fetched.b = fetch_quad(part, lane, 4u, d4);
  }
  if (HEAD_LANES > 8u) {
    fetched.c = fetch_quad(part, lane, 8u, d4);
    fetched.d = fetch_quad(part, lane, 12u, d4);
  }
  return fetched;
}

fn columns(part: u32, quad: KvQuad, d4: u32) -> mat4x4f {
  return kv_columns(part, quad, d4 % kv_step(part));
}

fn add_parts(lane: u32, nth: u32, part: vec4f) {
  let e = entries_of(lane, nth) * ENTRY_PARTS + lane % HEAD_LANES;
  parts[e.x] = part.x;
  parts[e.y] = part.y;
  parts[e.z] = part.z;
  parts[e.w] = part.w;
}

fn four_parts(at: u32) -> vec4f {
  return vec4f(parts[at], parts[at + 1u], parts[at + 2u], parts[at + 3u]);
}

// An entry's score: the sum of its vectors' parts.
fn score_of(entry: u32) -> f32 {
  let at = entry * ENTRY_PARTS;
  var four = four_parts(at);
  if (HEAD_LANES > 4u) {
    four += four_parts(at + 4u);
  }
  if (HEAD_LANES > 8u) {
    four += four_parts(at + 8u) + four_parts(at + 12u);
  }
  for (var d4 = 16u; d4 < HEAD_LANES; d4 += 16u) {
    four += four_parts(at + d4) + four_parts(at + d4 + 4u);
    four += four_parts(at + d4 + 8u) + four_parts(at + d4 + 12u);
  }
  return (four.x + four.y) + (four.z + four.w);
}

// The largest of all lanes' scores.
fn highest(lane: u32, score: f32) -> f32 {
  lane_values[lane] = score;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_values[lane] = max(lane_values[lane], lane_values[lane + half]);
    }
  }
  workgroupBarrier();
  return lane_values[0];
}

fn weights_of(lane: u32, nth: u32) -> vec4f {
  let e = entries_of(lane, nth);
  return vec4f(weights[e.x], weights[e.y], weights[e.z], weights[e.w]);
}
