// The choice of tokens by the definition, where all of them stay in memory and those that leave are masked: row by row, the
// probabilities of the tokens that are left are added to their scores; after a prompt, and if EVERY_STEP after each
// later row, tokens leave as kept_choice.wgsl says. It shares nothing with the kernels that it is compared with but the
// products of rows and keys.
//
//   x      [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   state  [2] capacity, heads; [n] the first position whose row does not attend to a token; [n] scores; [n] for this kernel
//          alone; with n = sequences * heads * capacity
//   kv     see kv_groups.wgsl
//
// A workgroup handles one head of one sequence. The grid is (heads, sequences).
//
// requires: step.wgsl, row scores

override HEAVY: u32;
override RECENT: u32;
override OBSERVED: u32;
override POOL: u32;
override EVERY_STEP: bool;

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
  for (var row = 0u; row < counts.n_rows; row++) {
    if (rows[row].sequence == sequence) {
      first_row = min(first_row, row);
      n_rows++;
    }
  }
  if (n_rows == 0u) {
    return;
  }
  let first_position = rows[first_row].position;
  let is_prompt = first_position == 0u;
  if (!is_prompt && !EVERY_STEP) {
    return;
  }
  for (var i = 0u; i < n_rows; i++) {
    let position = first_position + i;
    if (!is_prompt || i + OBSERVED >= n_rows) {
      add_row(first_row + i, sequence, head, position, local.x);
    }
    if (!is_prompt) {
      choose(position, local.x);
    }
  }
  if (is_prompt) {
    choose(n_rows - 1u, local.x);
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

// Lets tokens leave behind the row at a position.
fn choose(position: u32, lane: u32) {
  let n_others = position + 1u - min(position + 1u, RECENT);
  var n_left = 0u;
  for (var token = 0u; token <= position; token++) {
    n_left += u32(is_left(token, position));
  }
  for (var token = lane; token < n_others; token += LANES) {
    var sum = 0.0;
    for (var i = 0u; i < POOL; i++) {
      let near = token + i - POOL / 2u; // below zero it is large
      if (near < n_others) {
        sum += score(near);
      }
    }
    note(token, sum);
  }
  storageBarrier();
  for (var token = lane; token < n_others && n_left > HEAVY + RECENT; token += LANES) {
    var before = 0u;
    for (var other = 0u; other < n_others; other++) {
      let is_before = noted(other) > noted(token) || (noted(other) == noted(token) && other < token);
      before += u32(is_before && is_left(other, position));
    }
    if (before >= HEAVY && is_left(token, position)) {
      state[base + token] = position + 1u;
    }
  }
  storageBarrier();
}
