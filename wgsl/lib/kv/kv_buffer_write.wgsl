// K and V in a buffer, for kv_write.wgsl.
//
//   kv  see kv_buffer.wgsl
//
// requires: kv_buffer.wgsl, kv_units.wgsl
// provides: kv write

@group(2) @binding(0) var<storage, read_write> kv: array<KvElement>;

// Stores the head of x that begins at `source`.
fn kv_store(part: u32, begin: u32, source: u32, scale: f32) {
  var at = begin;
  for (var d4 = 0u; d4 < HEAD_DIM4; d4 += part_vectors(part)) {
    let unit = kv_unit(part, source + d4, scale);
    kv[at] = kv_element(unit);
    if (part_words(part) >= 2u * KV_ELEMENT_WORDS) {
      kv[at + 1u] = kv_element(unit.yyyy);
    }
    if (part_words(part) >= 4u * KV_ELEMENT_WORDS) {
      kv[at + 2u] = kv_element(unit.zzzz);
      kv[at + 3u] = kv_element(unit.wwww);
    }
    at += part_words(part) / KV_ELEMENT_WORDS;
  }
}
