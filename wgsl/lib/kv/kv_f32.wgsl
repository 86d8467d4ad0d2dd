// K or V in float32: four values are four words.
//
// provides: kv format

const KV_WORDS = 4u; // of a unit
const KV_VECTORS = 1u; // vectors of four values in a unit
const KV_STEPS = 0.0; // from zero to a head's largest magnitude; 0: values are stored as they are

// Vector i of a unit.
fn kv_decode(unit: vec4u, i: u32) -> vec4f {
  return bitcast<vec4f>(unit);
}

// The part of a unit that holds vector i, other bits zero.
fn kv_encode(value: vec4f, i: u32) -> vec4u {
  return bitcast<vec4u>(value);
}
