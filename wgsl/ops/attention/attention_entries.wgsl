// The entries that a workgroup of decode attention goes through: a split of SPLIT_TOKENS of those of one head of one row.
// The grid is (splits, heads, decode tiles). Which entries there are and which of them a row attends to is the
// strategy's: see kv_all.wgsl.
//
//   x  [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//
// requires: step.wgsl, kv_quads.wgsl, attention result

const LOWEST = -3.0e38;

override SCALE: f32;
override SPLIT_TOKENS: u32;

struct Entries {
  sequence: u32,
  position: u32, // of the row
  head: u32,
  query: u32, // where it begins in x
  begin: u32,
  end: u32, // at or before `begin` where there are none
  n_splits: u32,
  place: u32, // of the result
}

fn entries_of_split(workgroup: vec3u) -> Entries {
  let tile = tiles[counts.n_prefill_tiles + workgroup.z];
  let head = workgroup.y;
  let n_entries = kv_entries(tile.sequence, head, tile.first_position);
  let begin = workgroup.x * SPLIT_TOKENS;
  return Entries(
    tile.sequence,
    tile.first_position,
    head,
    (tile.first_row * 3u * N_HEAD + head) * HEAD_DIM4,
    begin,
    min(n_entries, begin + SPLIT_TOKENS),
    (n_entries + SPLIT_TOKENS - 1u) / SPLIT_TOKENS,
    attention_place(tile.first_row, head, workgroup),
  );
}
