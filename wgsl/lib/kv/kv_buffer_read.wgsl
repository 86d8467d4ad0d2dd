// K and V in a buffer, for attention.
//
//   kv  see kv_buffer.wgsl
//
// requires: kv_buffer.wgsl
// provides: kv read

alias KvFetch = KvVector;

const KV_STEP = 1u; // vectors that are read at once

@group(2) @binding(0) var<storage, read> kv: array<KvVector>;

fn kv_fetch(i: u32) -> KvFetch {
  return kv[i];
}

fn kv_take(fetched: KvFetch, i: u32) -> vec4f {
  return kv_decode(fetched);
}
