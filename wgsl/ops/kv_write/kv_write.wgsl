// kv[slot(r)] = (K, V) of row r, each head in the form that it is stored in.
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv  see kv_groups.wgsl
//
// A lane stores K or V of one head of one row.
//
// requires: step.wgsl, kv slots, kv entries, kv_head_store.wgsl

override LANES: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / (2u * N_HEAD);
  let part = id.x / N_HEAD % 2u;
  let head = id.x % N_HEAD;
  if (row >= counts.n_rows) {
    return;
  }
  let source = ((row * 3u + 1u + part) * N_HEAD + head) * HEAD_DIM4;
  let slot = kv_slot(rows[row].sequence, kv_entry(rows[row].position));
  kv_store_head(part, kv_head(slot, part, head), source);
}
