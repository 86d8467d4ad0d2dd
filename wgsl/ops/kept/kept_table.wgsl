// Which tokens are kept, for each head, and the probabilities that they have got.
//
//   kept  [sequences, N_HEAD, kept_stride]
//
// requires: kept places

struct Kept {
  position: u32,
  score: f32,
  raw: f32, // for kept_step.wgsl alone; of the first entry, behind it, which entry is free
}

// Where the entries of a head begin.
fn kept_place(sequence: u32, head: u32, n_head: u32) -> u32 {
  return (sequence * n_head + head) * places[sequence].kept_stride;
}
