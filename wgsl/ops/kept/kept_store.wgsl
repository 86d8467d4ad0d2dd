// kv[entry] = (K, V) of the tokens that stay, each head in the form that it is stored in: of a prompt's tokens those that
// were chosen, or, where SINGLE is true, a row's own token in the entry that another one has left.
//
//   x     [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kept  [sequences, N_HEAD, kept_stride]: see kept_table.wgsl
//   kv    see kv_groups.wgsl
//
// A lane stores K or V of one head of one entry. The grid is (entries of both parts of all heads, sequences or decode
// tiles).
//
// requires: kv_kept.wgsl, step.wgsl, kv_head_store.wgsl, kept_table.wgsl

override SINGLE: bool;
override KEPT: u32;

@group(1) @binding(1) var<storage, read> kept: array<Kept>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var entry = id.x / (2u * N_HEAD);
  let part = id.x / N_HEAD % 2u;
  let head = id.x % N_HEAD;
  var sequence = id.y;
  var row = 0u;
  if (SINGLE) {
    let tile = tiles[counts.n_prefill_tiles + id.y];
    sequence = tile.sequence;
    row = tile.first_row;
    let free = u32(kept[kept_place(sequence, head, N_HEAD)].raw);
    if (entry > 0u || free + 1u == kv_entries(sequence, head, tile.first_position)) {
      return;
    }
    entry = free;
  } else {
    let span = places[sequence];
    if (entry >= min(span.length, KEPT)) {
      return;
    }
    row = span.first_row + kept[kept_place(sequence, head, N_HEAD) + entry].position;
  }
  let source = ((row * 3u + 1u + part) * N_HEAD + head) * HEAD_DIM4;
  kv_store_head(part, kv_head(kv_slot(sequence, entry), part, head), source);
}
