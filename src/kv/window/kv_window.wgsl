// A sliding window with attention sinks (Xiao et al. 2023, arXiv 2309.17453): the row at `position` attends to the first
// SINKS tokens and to the last WINDOW ones up to its own. Entries are the sinks, then a ring of RING tokens: the window,
// and those of a step, which are stored before any of its rows attends.
//
// provides: kv entries

override SINKS: u32;
override WINDOW: u32;
override RING: u32;

fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  return min(position + 1u, SINKS + RING);
}

// An entry of the ring holds the last token up to `position` that has its place, or a later one of the same step, in
// whose place no token of the window was.
fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return entry < SINKS || (position - entry) % RING < WINDOW;
}

fn kv_entry(position: u32) -> u32 {
  return select(SINKS + (position - SINKS) % RING, position, position < SINKS);
}
