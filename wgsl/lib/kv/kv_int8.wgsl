// K and V in int8, symmetric, with one scale per head, token and part: value = q * scale, q from -127 to 127. Four
// values are a word.
//
// requires: x
// provides: kv format

alias KvVector = u32;

const KV_SCALED = true; // whether values are divided by a scale before they are stored
const KV_PER_TEXEL = 4u; // vectors

fn kv_decode(v: KvVector) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(v)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn kv_encode(value: vec4f) -> KvVector {
  let bytes = bitcast<vec4u>(vec4i(round(clamp(value, vec4f(-127.0), vec4f(127.0))))) & vec4u(255u);
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// Vectors of x from i on, in a texel.
fn kv_pack(i: u32, scale: f32) -> vec4u {
  return vec4u(
    kv_encode(x_load(i) / scale),
    kv_encode(x_load(i + 1u) / scale),
    kv_encode(x_load(i + 2u) / scale),
    kv_encode(x_load(i + 3u) / scale),
  );
}

// A vector of a texel.
fn kv_unpack(texel: vec4u, i: u32) -> KvVector {
  let pair = select(texel.xy, texel.zw, i > 1u);
  return select(pair.x, pair.y, i % 2u == 1u);
}
