// K or V in int8, symmetric, with one scale per head and token: value = q * scale, q from -127 to 127. Four values are a
// word.
//
// provides: kv format

const KV_WORDS = 1u; // of a unit
const KV_VECTORS = 1u; // vectors of four values in a unit
const KV_STEPS = 127.0; // from zero to a head's largest magnitude

// Vector i of a unit.
fn kv_decode(unit: vec4u, i: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(unit.x)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

// The part of a unit that holds vector i, other bits zero.
fn kv_encode(value: vec4f, i: u32) -> vec4u {
  let bytes = bitcast<vec4u>(vec4i(round(clamp(value, vec4f(-KV_STEPS), vec4f(KV_STEPS))))) & vec4u(255u);
  return vec4u(bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u), 0u, 0u, 0u);
}
