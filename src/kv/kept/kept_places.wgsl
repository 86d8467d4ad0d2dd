// Where the tokens of each sequence are, in the K/V memory and in the tables that are kept beside it.
//
//   places  [sequences]
//
// provides: kept places

struct Place {
  first_slot: u32,
  dropped: u32, // tokens of the prompt that did not stay
  most: u32, // entries that a row attends to at most beside its own
  first_observed: u32, // the prompt's first row whose probabilities count
  first_row: u32, // of the prompt, in the step that computes it
  length: u32, // of the prompt, in the step that computes it
  prompt_stride: u32, // entries of a head in tables of prompts
  kept_stride: u32, // entries of a head in tables of what stays
}

@group(2) @binding(1) var<storage, read> places: array<Place>;
