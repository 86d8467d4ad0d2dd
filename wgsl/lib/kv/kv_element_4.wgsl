// An element of a buffer of K and V is four words.
//
// provides: kv element

alias KvElement = vec4u;

const KV_ELEMENT_WORDS = 4u;

fn kv_words(element: KvElement) -> vec4u {
  return vec4u(element);
}

fn kv_element(words: vec4u) -> KvElement {
  return words;
}
