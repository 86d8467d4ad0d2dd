// Where K and V are where all tokens stay, and those that were dropped are masked, for each head: what strategies that keep
// some tokens are compared with.
//
//   gone  [2 + sequences * heads * capacity]: capacity, heads, and the first position whose row does not attend to a token
//
// kv_visible() does not know the sequence: it is the one that kv_entries() was asked for.
//
// provides: kv slots, kv entries

@group(2) @binding(1) var<storage, read> gone: array<u32>;

var<private> asked: u32;

fn kv_slot(sequence: u32, entry: u32) -> u32 {
  return sequence * gone[0] + entry;
}

fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  asked = sequence;
  return position + 1u;
}

fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return position < gone[2u + (asked * gone[1] + head) * gone[0] + entry];
}

fn kv_entry(position: u32) -> u32 {
  return position;
}
