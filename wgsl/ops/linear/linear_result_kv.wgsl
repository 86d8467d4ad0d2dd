// Where finished outputs of QKV's product go: to y, and those of K and V in passing to their slots as well, in formats that
// are stored vector by vector.
//
//   y   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv  see kv_groups.wgsl
//
// requires: linear.wgsl, step.wgsl, y, kv slots, kv entries, kv write
// provides: result

fn result_store(row: u32, n4: u32, value: vec4f) {
  y_store(row * Y_STRIDE4 + Y_OFFSET4 + n4, value);
  let head = n4 / HEAD_DIM4;
  if (head < N_HEAD || row >= counts.n_rows) {
    return;
  }
  let part = head / N_HEAD - 1u;
  let slot = kv_slot(rows[row].sequence, kv_entry(rows[row].position));
  kv_store_vector(part, kv_head(slot, part, head % N_HEAD), n4 % HEAD_DIM4, value);
}

fn result_end(row: u32, group: u32, lane: u32) {
}
