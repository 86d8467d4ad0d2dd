// Where K and V of the tokens that stayed are: each sequence owns a region, in which every head has its own choice of
// tokens, as many as the others. Behind those that the prompt left are the tokens that came since, or, where there are
// `most` entries, the row's own alone.
//
// A token's entry is its position with a mark, since kv_entry() does not know the sequence; attention's entries have none.
//
// requires: kept places
// provides: kv slots, kv entries

const MARK = 0x80000000u;

fn kv_slot(sequence: u32, entry: u32) -> u32 {
  let first = places[sequence].first_slot;
  if (entry < MARK) {
    return first + entry;
  }
  return first + kept_before(sequence, entry - MARK);
}

// How many entries the row at `position` has before its own.
fn kept_before(sequence: u32, position: u32) -> u32 {
  return min(position - places[sequence].dropped, places[sequence].most);
}

fn kv_entries(sequence: u32, head: u32, position: u32) -> u32 {
  return kept_before(sequence, position) + 1u;
}

fn kv_visible(position: u32, head: u32, entry: u32) -> bool {
  return true;
}

fn kv_entry(position: u32) -> u32 {
  return position | MARK;
}
