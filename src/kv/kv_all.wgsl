// Attention over all tokens: a sequence's entries are its tokens by their positions, and a row attends to all of them up
// to its own. An entry is what attention goes through; kv_slot() says where its K and V are.
//
// Strategies that keep all tokens are joined with it. Another strategy has
// functions of its own: kv_visible() then says which of the entries below kv_entries() hold a token that the row at
// `position` attends to, and kv_entry() where a token is stored.
//
// provides: kv entries

// The entries that the row at `position` goes through: 0 to below this.
fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  return position + 1u;
}

// Whether the row at `position` attends to an entry below kv_entries().
fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return true;
}

// The entry of a token.
fn kv_entry(position: u32) -> u32 {
  return position;
}
