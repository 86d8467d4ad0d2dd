// An element of a buffer of K and V is a word: formats that differ have them in common.
//
// provides: kv element

alias KvElement = u32;

const KV_ELEMENT_WORDS = 1u;

fn kv_words(element: KvElement) -> vec4u {
  return vec4u(element, 0u, 0u, 0u);
}

fn kv_element(words: vec4u) -> KvElement {
  return words.x;
}
