// Dilated attention: the row at `position` attends to its own token and to every DILATION-th before it.
//
// provides: kv entries

override DILATION: u32;

fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  return position + 1u;
}

fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return (position - entry) % DILATION == 0u;
}

fn kv_entry(position: u32) -> u32 {
  return position;
}
