// An element of a buffer of K and V is two words.
//
// provides: kv element

alias KvElement = vec2u;

const KV_ELEMENT_WORDS = 2u;

fn kv_words(element: KvElement) -> vec4u {
  return vec4u(element, 0u, 0u);
}

fn kv_element(words: vec4u) -> KvElement {
  return words.xy;
}
