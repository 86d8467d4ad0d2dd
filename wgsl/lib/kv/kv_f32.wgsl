// K and V in float32: four values are four words.
//
// requires: x
// provides: kv format

alias KvVector = vec4u;

const KV_SCALED = false; // whether values are divided by a scale before they are stored
const KV_PER_TEXEL = 1u; // vectors

fn kv_decode(v: KvVector) -> vec4f {
  return bitcast<vec4f>(v);
}

fn kv_encode(value: vec4f) -> KvVector {
  return bitcast<vec4u>(value);
}

// Vectors of x from i on, in a texel.
fn kv_pack(i: u32, scale: f32) -> vec4u {
  return kv_encode(x_load(i));
}

// A vector of a texel.
fn kv_unpack(texel: vec4u, i: u32) -> KvVector {
  return texel;
}
