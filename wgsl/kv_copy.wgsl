// kv[to + i] = kv[from + i], i < n_slots, for every copy: blocks that are written after a fork (copy-on-write), and
// whole caches of contiguous sequences that are forked. No copy of a dispatch reads or writes what another writes.
//
//   copies  [n_copies]            slots
//   kv      [n_slots, SLOT_WORDS]  one layer's K and V as stored, whatever the type
//
// The grid is (stretches of one copy, copies); a lane copies every so many words.

override SLOT_WORDS: u32;

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
  for (var i = id.x; i < copy.n_slots * SLOT_WORDS; i += 64u * groups.x) {
    kv[copy.to * SLOT_WORDS + i] = kv[copy.first * SLOT_WORDS + i];
  }
}
