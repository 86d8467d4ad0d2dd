// K or V in four bits, symmetric, with one scale per head and token: value = q * scale, q from -7 to 7. Eight values are a
// word, the first one in its lowest bits.
//
// provides: kv format

const KV_WORDS = 1u; // of a unit
const KV_VECTORS = 2u; // vectors of four values in a unit
const KV_STEPS = 7.0; // from zero to a head's largest magnitude

// Vector i of a unit.
fn kv_decode(unit: vec4u, i: u32) -> vec4f {
  let upper = bitcast<i32>(unit.x << (16u - 16u * i)); // the vector's half in the upper bits
  return vec4f((vec4i(upper) << vec4u(12u, 8u, 4u, 0u)) >> vec4u(28u));
}

// The part of a unit that holds vector i, other bits zero.
fn kv_encode(value: vec4f, i: u32) -> vec4u {
  let q = bitcast<vec4u>(vec4i(round(clamp(value, vec4f(-KV_STEPS), vec4f(KV_STEPS))))) & vec4u(15u);
  return vec4u((q.x | (q.y << 4u) | (q.z << 8u) | (q.w << 12u)) << (16u * i), 0u, 0u, 0u);
}
