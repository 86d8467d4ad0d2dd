// What is computed of prompts before their tokens are chosen, in one buffer: norms of rows, and three numbers of each
// token. It does not outlive the layer.
//
//   work  [n_rows, N_HEAD] norms (m, 1 / l), then [sequences, N_HEAD, prompt_stride] (score, sum with neighbours, 1 if it stays)
//
// requires: step.wgsl, kept places

@group(1) @binding(1) var<storage, read_write> work: array<f32>;

// Where the norms of a row begin.
fn norm_place(row: u32, head: u32, n_head: u32) -> u32 {
  return 2u * (row * n_head + head);
}

// Where the tokens of a prompt begin, three numbers each.
fn prompt_place(sequence: u32, head: u32, n_head: u32) -> u32 {
  return 2u * counts.n_rows * n_head + 3u * (sequence * n_head + head) * places[sequence].prompt_stride;
}
