// Where K and V live in an arena: each sequence owns one region of consecutive slots, which begins anywhere.
//
//   region_start  [n_sequences]
//
// provides: kv slots

@group(2) @binding(1) var<storage, read> region_start: array<u32>;

fn kv_slot(sequence: u32, entry: u32) -> u32 {
  return region_start[sequence] + entry;
}
