// The tables of one step, shared by every kernel: which rows are computed, and what each of them is.
//
//   counts   how many entries of each table are in use
//   rows     [n_rows]                            a token of a sequence
//   tiles    [n_prefill_tiles + n_decode_tiles]  up to 8 consecutive rows of one sequence that attend together;
//                                                prefill tiles come first, decode tiles (one row) after them
//   outputs  [n_outputs]                         the rows whose logits are wanted
//
// The buffers hold the tables of several steps; a step binds its own part by dynamic offset.

struct Counts {
  n_rows: u32,
  n_prefill_tiles: u32,
  n_decode_tiles: u32,
  n_outputs: u32,
}

struct Row {
  sequence: u32,
  position: u32,
}

struct Tile {
  first_row: u32,
  n_rows: u32,
  sequence: u32,
  first_position: u32,
}

struct Output {
  row: u32,
  sequence: u32,
  position: u32,
  unused: u32,
}

@group(0) @binding(0) var<uniform> counts: Counts;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read> tiles: array<Tile>;
@group(0) @binding(3) var<storage, read> outputs: array<Output>;
