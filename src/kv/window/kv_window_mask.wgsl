// The mask of a sliding window with attention sinks over a cache that keeps all tokens: entries are tokens by their
// positions, and the row at `position` attends to the first SINKS and to the last WINDOW up to its own.
//
// provides: kv entries

override SINKS: u32;
override WINDOW: u32;

fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  return position + 1u;
}

fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return entry < SINKS || entry + WINDOW > position;
}

fn kv_entry(position: u32) -> u32 {
  return position;
}
