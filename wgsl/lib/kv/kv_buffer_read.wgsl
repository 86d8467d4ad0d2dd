// K and V in a buffer, for attention.
//
//   kv  see kv_buffer.wgsl
//
// requires: kv_buffer.wgsl
// provides: kv read

@group(2) @binding(0) var<storage, read> kv: array<KvElement>;

// Vectors that are read at once.
fn kv_step(part: u32) -> u32 {
  return part_vectors(part);
}

// The nth of them, of the head that begins there. A unit has several elements where K and V differ.
fn kv_fetch(part: u32, begin: u32, nth: u32) -> vec4u {
  let at = begin + nth * (part_words(part) / KV_ELEMENT_WORDS);
  var unit = kv_words(kv[at]);
  if (part_words(part) >= 2u * KV_ELEMENT_WORDS) {
    unit.y = kv_words(kv[at + 1u]).x;
  }
  if (part_words(part) >= 4u * KV_ELEMENT_WORDS) {
    unit.z = kv_words(kv[at + 2u]).x;
    unit.w = kv_words(kv[at + 3u]).x;
  }
  return unit;
}

// Vector i of those that were read.
fn kv_take(part: u32, fetched: vec4u, i: u32) -> vec4f {
  return part_decode(part, fetched, i);
}
