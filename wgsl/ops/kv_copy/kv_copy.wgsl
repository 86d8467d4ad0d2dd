// kv[to + i] = kv[from + i], i < n_slots, for every copy: blocks that are written after a fork (copy-on-write), and
// whole caches of contiguous sequences that are forked. No copy of a dispatch reads or writes what another writes.
//
//   copies  [n_copies]                             slots
//   kv      [slots][N_HEAD * (K_WORDS + V_WORDS)]  one layer's K and V as stored, whatever the types, or their
//                                                  scales; see kv_groups.wgsl
//
// The grid is (stretches of one copy, copies); a lane copies every so many words.
//
// requires: kv_groups.wgsl

override K_WORDS: u32; // of a head; 0 where K is none of it
override V_WORDS: u32;

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
  let line = N_HEAD * (K_WORDS + V_WORDS);
  let n_slots = arrayLength(&kv) / line;
  let of_k = N_HEAD * copy.n_slots * K_WORDS;
  // Words of one head of all slots come one after another, so that lanes that are neighbours copy neighbours.
  for (var i = id.x; i < line * copy.n_slots; i += 64u * groups.x) {
    let is_v = i >= of_k;
    let width = select(K_WORDS, V_WORDS, is_v);
    let begin = select(0u, N_HEAD * K_WORDS, is_v);
    let nth = select(i, i - of_k, is_v);
    let slot = nth / width % copy.n_slots;
    let head = nth / width / copy.n_slots;
    let source = kv_place(copy.first + slot, head, n_slots);
    let target_place = kv_place(copy.to + slot, head, n_slots);
    kv[target_place.y * line + begin + target_place.x * width + nth % width] =
      kv[source.y * line + begin + source.x * width + nth % width];
  }
}
