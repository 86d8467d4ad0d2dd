// The choice of tokens by the definition, where all of them stay in memory and those that leave are masked: row by row, the
// probabilities of the tokens that are left are added to their scores; behind the last row of a step tokens leave as
// kept_choice.wgsl says. It shares nothing with the kernels that it is compared with but the products of rows and keys.
//
//   x      [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   state  [2] capacity, heads; [n] the first position whose row does not attend to a token; [n] scores; [n] for this kernel
//          alone; with n = sequences * heads * capacity
//   gone   capacity, heads, part
//   kv     see kv_groups.wgsl
//
// It is dispatched in stages, and the first of them in parts of ROWS rows, so that no lane goes through many thousands
// of iterations: software adapters end all loops of a lane after 65535. A workgroup handles one head of one sequence, and
// after the first stage LANES of its tokens. The grid is (heads, sequences, blocks of tokens).
//
// requires: kv_kept_mask.wgsl, step.wgsl, row scores

override HEAVY: u32;
override RECENT: u32;
override OBSERVED: u32;
override POOL: u32;
override STAGE: u32; // 0: rows are added; 1: scores are averaged; 2: tokens leave
override ROWS: u32;

override LANES: u32;

@group(1) @binding(1) var<storage, read_write> state: array<u32>;

var<private> base: u32; // of the head's tokens
var<private> n_all: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let head = workgroup.x;
  let sequence = workgroup.y;
  n_all = (arrayLength(&state) - 2u) / 3u;
  base = 2u + kv_slot(sequence, 0u) * N_HEAD + head * (kv_slot(1u, 0u) - kv_slot(0u, 0u));
  var first_row = counts.n_rows;
  var n_rows = 0u;
  for (var i = 0u; i < counts.n_prefill_tiles + counts.n_decode_tiles; i++) {
    if (tiles[i].sequence == sequence) {
      first_row = min(first_row, tiles[i].first_row);
      n_rows += tiles[i].n_rows;
    }
  }
  if (n_rows == 0u) {
    return;
  }
  let first_position = rows[first_row].position;
  let last = first_position + n_rows - 1u;
  let token = workgroup.z * LANES + local.x;
  if (STAGE == 0u) {
    let skipped = n_rows - min(n_rows, OBSERVED);
    let begin = skipped + gone[2] * ROWS;
    for (var i = begin; i < min(n_rows, begin + ROWS); i++) {
      add_row(first_row + i, sequence, head, first_position + i, local.x);
    }
  } else if (STAGE == 1u) {
    average(token, last);
  } else {
    leave(token, last);
  }
}

fn is_left(token: u32, position: u32) -> bool {
  return position < state[base + token];
}

fn score(token: u32) -> f32 {
  return bitcast<f32>(state[n_all + base + token]);
}

fn noted(token: u32) -> f32 {
  return bitcast<f32>(state[2u * n_all + base + token]);
}

fn note(token: u32, value: f32) {
  state[2u * n_all + base + token] = bitcast<u32>(value);
}

// Adds a row's probabilities to the scores.
fn add_row(row: u32, sequence: u32, head: u32, position: u32, lane: u32) {
  for (var first = 4u * lane; first <= position; first += 4u * LANES) {
    let entries = vec4u(first) + OFFSETS;
    let s = row_score(query_of(row, head), keys_of(sequence, head, entries, position));
    for (var i = 0u; i < 4u && first + i <= position; i++) {
      note(first + i, s[i]);
    }
  }
  storageBarrier();
  var highest = LOWEST;
  var sum = 0.0;
  for (var token = 0u; token <= position; token++) {
    if (is_left(token, position)) {
      highest = max(highest, noted(token));
    }
  }
  for (var token = 0u; token <= position; token++) {
    if (is_left(token, position)) {
      sum += exp(noted(token) - highest);
    }
  }
  for (var token = lane; token <= position; token += LANES) {
    if (is_left(token, position)) {
      let to = n_all + base + token;
      state[to] = bitcast<u32>(score(token) + exp(noted(token) - highest) / sum);
    }
  }
  storageBarrier();
}

// How many tokens may leave behind the row at a position: the first ones.
fn others_of(position: u32) -> u32 {
  return position + 1u - min(position + 1u, RECENT);
}

// Notes the sum of a token's score and its neighbours'.
fn average(token: u32, position: u32) {
  let n_others = others_of(position);
  if (token >= n_others) {
    return;
  }
  var sum = 0.0;
  for (var near = token - min(token, POOL / 2u); near < min(n_others, token + POOL / 2u + 1u); near++) {
    sum += score(near);
  }
  note(token, sum);
}

// Lets a token leave behind the row at a position, if it has to.
fn leave(token: u32, position: u32) {
  let n_others = others_of(position);
  if (token >= n_others || !is_left(token, position)) {
    return;
  }
  var n_left = 0u;
  for (var other = 0u; other <= position; other++) {
    n_left += u32(is_left(other, position));
  }
  var before = 0u;
  for (var other = 0u; other < n_others; other++) {
    let is_before = noted(other) > noted(token) || (noted(other) == noted(token) && other < token);
    before += u32(is_before && is_left(other, position));
  }
  if (n_left > HEAVY + RECENT && before >= HEAVY) {
    state[base + token] = position + 1u;
  }
}
