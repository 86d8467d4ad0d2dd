// kv[to + i] = kv[from + i], i < n_slots, for every copy: blocks that are written after a fork (copy-on-write), and
// whole caches of contiguous sequences that are forked. No copy of a dispatch reads or writes what another writes.
//
//   copies  [n_copies]         slots
//   kv      [rows, ROW_WORDS]  values of one layer's K and V as stored, whatever the type, or scales; see kv_groups.wgsl
//
// The grid is (stretches of one copy, copies); a lane copies every so many words.
//
// requires: kv_groups.wgsl

override ROW_WORDS: u32;

struct Copy {
  first: u32,
  to: u32,
  n_slots: u32,
}

@group(0) @binding(0) var<storage, read> copies: array<Copy>;
@group(0) @binding(1) var<storage, read_write> kv: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let copy = copies[id.y];
  let n_slots = arrayLength(&kv) / (2u * N_HEAD * ROW_WORDS);
  // Words of one head of all slots come one after another, so that lanes that are neighbours copy neighbours.
  for (var i = id.x; i < 2u * N_HEAD * copy.n_slots * ROW_WORDS; i += 64u * groups.x) {
    let word = i % ROW_WORDS;
    let slot = i / ROW_WORDS % copy.n_slots;
    let head = i / ROW_WORDS / copy.n_slots; // K's heads, then V's
    let source = kv_row(copy.first + slot, head / N_HEAD, head % N_HEAD, n_slots);
    let target_row = kv_row(copy.to + slot, head / N_HEAD, head % N_HEAD, n_slots);
    kv[target_row * ROW_WORDS + word] = kv[source * ROW_WORDS + word];
  }
}
