// K and V in a texture, for attention.
//
//   kv  see kv_texels.wgsl
//
// requires: kv_texels.wgsl
// provides: kv read

alias KvFetch = vec4u;

const KV_STEP = KV_PER_TEXEL; // vectors that are read at once

@group(2) @binding(0) var kv: texture_storage_2d<rgba32uint, read>;

fn kv_fetch(i: u32) -> KvFetch {
  return textureLoad(kv, kv_texel(i));
}

fn kv_take(fetched: KvFetch, i: u32) -> vec4f {
  return kv_decode(kv_unpack(fetched, i));
}
