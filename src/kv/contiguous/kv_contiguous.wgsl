// Where K and V live in a contiguous cache: each sequence owns one region of tokens_per_sequence slots.
//
//   region  tokens_per_sequence
//
// provides: kv slots

struct KvRegion {
  tokens_per_sequence: u32,
}

@group(2) @binding(1) var<uniform> region: KvRegion;

fn kv_slot(sequence: u32, entry: u32) -> u32 {
  return sequence * region.tokens_per_sequence + entry;
}
