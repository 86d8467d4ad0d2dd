// K and V in a buffer, for kernels that store them.
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
    kv_store_unit(part, at, kv_unit(part, source + d4, scale));
    at += part_words(part) / KV_ELEMENT_WORDS;
  }
}

// Stores vector d4 of the head that begins there, in a format without scales whose units are single vectors.
fn kv_store_vector(part: u32, begin: u32, d4: u32, value: vec4f) {
  kv_store_unit(part, begin + d4 * (part_words(part) / KV_ELEMENT_WORDS), part_encode(part, value, 0u));
}

fn kv_store_unit(part: u32, at: u32, unit: vec4u) {
  kv[at] = kv_element(unit);
  if (part_words(part) >= 2u * KV_ELEMENT_WORDS) {
    kv[at + 1u] = kv_element(unit.yyyy);
  }
  if (part_words(part) >= 4u * KV_ELEMENT_WORDS) {
    kv[at + 2u] = kv_element(unit.zzzz);
    kv[at + 3u] = kv_element(unit.wwww);
  }
}
