// Causal attention as in attention_prefill.wgsl for many rows at once, with K and V in workgroup memory, for hardware
// GPUs: a workgroup reads them once for up to 32 rows, and no lane goes through rows or entries alone.
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   y   [n_rows, N_HEAD, HEAD_DIM4]
//   kv  see kv_groups.wgsl
//
// A workgroup handles four tiles of rows and one head; tiles of several sequences take turns. It goes through sixteen
// entries at a time: a lane fetches one vector of K and one of V of the next ones, scores two entries for one row, and adds
// up one vector of the head for two rows. Eight lanes have a row's scores, and join their maxima. HEAD_DIM4 is at
// most 16. The grid is (prefill tiles / 4, heads).
//
// requires: step.wgsl, kv slots, kv entries, kv read, kv scales read, x, y

const LANES = 256u;
const TILES = 4u;
const TILE_ROWS = 8u;
const ROWS = 32u;
const ENTRIES = 16u; // that are in workgroup memory
const VECTORS = 16u; // of a head, those past HEAD_DIM4 are zero
const ROW_LANES = 8u; // that score entries for a row
const LOWEST = -3.0e38;

override SCALE: f32;

var<workgroup> queries: array<vec4f, ROWS * VECTORS>;
var<workgroup> shared_kv: array<vec4f, ENTRIES * VECTORS>; // K, then V; see place()
var<workgroup> weights: array<vec2f, LANES>; // [ROWS, ROW_LANES], of two entries each
var<workgroup> lane_values: array<f32, LANES>; // [ROWS, ROW_LANES]
var<workgroup> decays: array<f32, ROWS>; // what the sums so far are multiplied by

// What a lane fetches of an entry.
struct Fetched {
  k: vec4u,
  v: vec4u,
  k_scale: f32,
  v_scale: f32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = workgroup.x * TILES;
  let end = min(first + TILES, counts.n_prefill_tiles);
  var begin = first;
  while (begin < end) {
    var next = begin + 1u;
    while (next < end && tiles[next].sequence == tiles[begin].sequence) {
      next++;
    }
    attend(local.x, workgroup.y, first, begin, next);
    begin = next;
  }
}

// Attends with the tiles from `begin` to below `end`, whose rows follow one another. Row 0 is that of tile `first`.
fn attend(lane: u32, head: u32, first: u32, begin: u32, end: u32) {
  let sequence = tiles[begin].sequence;
  let d4 = lane % VECTORS;
  let pair = 2u * (lane / VECTORS); // the rows whose outputs the lane adds up
  let row = lane / ROW_LANES; // whose entries it scores
  let nth = lane % ROW_LANES; // the pair of entries that it scores
  let row_tile = tile_of(row, first, begin, end);
  let position = row_tile.first_position + min(row % TILE_ROWS, row_tile.n_rows - 1u);
  let n_own = kv_entries(sequence, head, position);
  let last_tile = tiles[end - 1u];
  let n_entries = kv_entries(sequence, head, last_tile.first_position + last_tile.n_rows - 1u);
  let last = n_entries - 1u;

  workgroupBarrier();
  queries[lane] = query(lane / VECTORS, tile_of(lane / VECTORS, first, begin, end), head, d4);
  let lower = ROWS / 2u + lane / VECTORS;
  queries[LANES + lane] = query(lower, tile_of(lower, first, begin, end), head, d4);

  var m = LOWEST; // of the row that the lane scores for
  var l = 0.0; // of the lane's own entries
  var sum0 = vec4f();
  var sum1 = vec4f();
  var next = fetch(sequence, head, min(lane / VECTORS, last), d4);
  for (var entry = 0u; entry < n_entries; entry += ENTRIES) {
    let now = next;
    workgroupBarrier();
    shared_kv[place(lane / VECTORS, d4)] = value(0u, now.k, now.k_scale, d4);
    workgroupBarrier();
    next = fetch(sequence, head, min(entry + ENTRIES + lane / VECTORS, last), d4);

    // Each lane has two entries of one row.
    var near = vec4f();
    var far = vec4f();
    for (var i = 0u; i < HEAD_DIM4; i += 4u) {
      let at = row * VECTORS + i;
      let q0 = queries[at];
      let q1 = queries[at + 1u];
      let q2 = queries[at + 2u];
      let q3 = queries[at + 3u];
      near += q0 * shared_kv[place(2u * nth, i)] + q1 * shared_kv[place(2u * nth, i + 1u)];
      far += q0 * shared_kv[place(2u * nth + 1u, i)] + q1 * shared_kv[place(2u * nth + 1u, i + 1u)];
      near += q2 * shared_kv[place(2u * nth, i + 2u)] + q3 * shared_kv[place(2u * nth, i + 3u)];
      far += q2 * shared_kv[place(2u * nth + 1u, i + 2u)] + q3 * shared_kv[place(2u * nth + 1u, i + 3u)];
    }
    let own = entry + 2u * nth + vec2u(0u, 1u);
    let kept = vec2<bool>(
      own.x < n_own && kv_visible(position, head, own.x),
      own.y < n_own && kv_visible(position, head, own.y),
    );
    let scores = select(vec2f(LOWEST), vec2f(dot(near, vec4f(1.0)), dot(far, vec4f(1.0))), kept);
    lane_values[lane] = max(scores.x, scores.y);
    workgroupBarrier();

    shared_kv[place(lane / VECTORS, d4)] = value(1u, now.v, now.v_scale, d4);
    let before = m;
    m = max(m, largest_of_row(row));
    let decay = exp(before - m);
    let own_weights = select(vec2f(), exp(scores - m), kept);
    l = l * decay + own_weights.x + own_weights.y;
    weights[lane] = own_weights;
    if (nth == 0u) {
      decays[row] = decay;
    }
    workgroupBarrier();

    sum0 *= decays[pair];
    sum1 *= decays[pair + 1u];
    for (var i = 0u; i < ROW_LANES; i += 2u) {
      let at = pair * ROW_LANES + i;
      let w0 = vec4f(weights[at], weights[at + 1u]);
      let w1 = vec4f(weights[at + ROW_LANES], weights[at + ROW_LANES + 1u]);
      let values = mat4x4f(
        shared_kv[place(2u * i, d4)],
        shared_kv[place(2u * i + 1u, d4)],
        shared_kv[place(2u * i + 2u, d4)],
        shared_kv[place(2u * i + 3u, d4)],
      );
      sum0 += values * w0;
      sum1 += values * w1;
    }
  }

  workgroupBarrier();
  lane_values[lane] = l;
  workgroupBarrier();
  store(pair, first, begin, end, head, d4, sum0);
  store(pair + 1u, first, begin, end, head, d4, sum1);
}

// The tile of a row; for rows of other tiles than `begin` to below `end`, one of these.
fn tile_of(row: u32, first: u32, begin: u32, end: u32) -> Tile {
  return tiles[clamp(first + row / TILE_ROWS, begin, end - 1u)];
}

fn query(row: u32, tile: Tile, head: u32, d4: u32) -> vec4f {
  let x_row = tile.first_row + min(row % TILE_ROWS, tile.n_rows - 1u);
  let at = (x_row * 3u * N_HEAD + head) * HEAD_DIM4 + min(d4, HEAD_DIM4 - 1u);
  return select(vec4f(), SCALE * x_load(at), d4 < HEAD_DIM4);
}

fn fetch(sequence: u32, head: u32, entry: u32, d4: u32) -> Fetched {
  let slot = kv_slot(sequence, entry);
  let k = kv_head(slot, 0u, head);
  let v = kv_head(slot, 1u, head);
  let within = min(d4, HEAD_DIM4 - 1u);
  return Fetched(
    kv_fetch(0u, k, within / kv_step(0u)),
    kv_fetch(1u, v, within / kv_step(1u)),
    kv_scale(0u, k),
    kv_scale(1u, v),
  );
}

fn value(part: u32, fetched: vec4u, scale: f32, d4: u32) -> vec4f {
  let within = min(d4, HEAD_DIM4 - 1u);
  return select(vec4f(), kv_take(part, fetched, within % kv_step(part)) * scale, d4 < HEAD_DIM4);
}

// Where a vector of an entry lies: turned, so that lanes that read one vector of neighbouring entries meet different banks.
fn place(entry: u32, d4: u32) -> u32 {
  return entry * VECTORS + (d4 ^ (entry / 2u));
}

fn largest_of_row(row: u32) -> f32 {
  let at = row * ROW_LANES;
  let near = max(max(lane_values[at], lane_values[at + 1u]), max(lane_values[at + 2u], lane_values[at + 3u]));
  let far = max(max(lane_values[at + 4u], lane_values[at + 5u]), max(lane_values[at + 6u], lane_values[at + 7u]));
  return max(near, far);
}

fn total_of_row(row: u32) -> f32 {
  let at = row * ROW_LANES;
  let near = (lane_values[at] + lane_values[at + 1u]) + (lane_values[at + 2u] + lane_values[at + 3u]);
  let far = (lane_values[at + 4u] + lane_values[at + 5u]) + (lane_values[at + 6u] + lane_values[at + 7u]);
  return near + far;
}

// Stores a row's result, if it is a row of the tiles.
fn store(row: u32, first: u32, begin: u32, end: u32, head: u32, d4: u32, sum: vec4f) {
  let t = first + row / TILE_ROWS;
  if (t < begin || t >= end || d4 >= HEAD_DIM4) {
    return;
  }
  let tile = tiles[t];
  let r = row % TILE_ROWS;
  if (r < tile.n_rows) {
    y_store(((tile.first_row + r) * N_HEAD + head) * HEAD_DIM4 + d4, sum / total_of_row(row));
  }
}
