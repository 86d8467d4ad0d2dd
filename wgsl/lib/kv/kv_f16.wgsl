// K or V in float16: four values are two words, which needs no shader-f16.
//
// provides: kv format

const KV_WORDS = 2u; // of a unit
const KV_VECTORS = 1u; // vectors of four values in a unit
const KV_STEPS = 0.0; // from zero to a head's largest magnitude; 0: values are stored as they are
const KV_LARGEST = vec4f(65504.0); // of float16
const KV_INFINITY = vec4u(0x7f800000u); // the bits that are set in infinity and NaN
const KV_NAN = 0x7e00u; // in float16

// Vector i of a unit.
fn kv_decode(unit: vec4u, i: u32) -> vec4f {
  return vec4f(unpack2x16float(unit.x), unpack2x16float(unit.y));
}

// The part of a unit that holds vector i, other bits zero. What is too large becomes the largest; infinity and NaN, which
// clamp() might make a number of, become NaN.
fn kv_encode(value: vec4f, i: u32) -> vec4u {
  let finite = clamp(value, -KV_LARGEST, KV_LARGEST);
  let is_broken = (bitcast<vec4u>(value) & KV_INFINITY) == KV_INFINITY;
  let broken = select(vec4u(), vec4u(KV_NAN, KV_NAN << 16u, KV_NAN, KV_NAN << 16u), is_broken);
  return vec4u(vec2u(pack2x16float(finite.xy), pack2x16float(finite.zw)) | (broken.xz | broken.yw), 0u, 0u);
}
