// K and V in float16: four values are two words, which needs no shader-f16.
//
// requires: x
// provides: kv format

alias KvVector = vec2u;

const KV_SCALED = false; // whether values are divided by a scale before they are stored
const KV_PER_TEXEL = 2u; // vectors
const LARGEST = vec4f(65504.0); // of float16
const INFINITY = vec4u(0x7f800000u); // the bits that are set in infinity and NaN
const HALF_NAN = 0x7e00u;

fn kv_decode(v: KvVector) -> vec4f {
  return vec4f(unpack2x16float(v.x), unpack2x16float(v.y));
}

// What is too large becomes the largest; infinity and NaN, which clamp() might make a number of, become NaN.
fn kv_encode(value: vec4f) -> KvVector {
  let finite = clamp(value, -LARGEST, LARGEST);
  let is_broken = (bitcast<vec4u>(value) & INFINITY) == INFINITY;
  let broken = select(vec4u(), vec4u(HALF_NAN, HALF_NAN << 16u, HALF_NAN, HALF_NAN << 16u), is_broken);
  return vec2u(pack2x16float(finite.xy), pack2x16float(finite.zw)) | (broken.xz | broken.yw);
}

// Vectors of x from i on, in a texel.
fn kv_pack(i: u32, scale: f32) -> vec4u {
  return vec4u(kv_encode(x_load(i)), kv_encode(x_load(i + 1u)));
}

// A vector of a texel.
fn kv_unpack(texel: vec4u, i: u32) -> KvVector {
  return select(texel.xy, texel.zw, i == 1u);
}
