// A packed weight matrix in four bits: w[k, n] = (q[k, n] - 8) * scale[k / 32, n], with q from 1 to 15. See linear.wgsl for
// the order of the tiles.
//
//   weight  [tiles]: 8 bytes each; the half of a word that holds input j has output i in its nibble i
//   scale   [N4 / TILE_GROUP rounded up, K4 / 16 rounded up, 2, TILE_GROUP]: of 32 inputs, four outputs' in float16
//
// requires: weight storage
// provides: weight format

const SCALED_TILES = 8u; // tiles of inputs that share scales

@group(1) @binding(4) var<storage, read> scale: array<vec2u>;

// Four outputs of an input.
fn weight_outputs(half_word: u32) -> vec4f {
  return vec4f((vec4u(half_word) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) - vec4f(8.0);
}

// Tile i, scaled within the sum; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  let pair = weight_load(i / 2u);
  let words = select(pair.xy, pair.zw, i % 2u == 1u);
  let nth = i / TILE_GROUP; // tile of inputs, of all groups of outputs
  let scales_of_inputs = (K4 + 2u * SCALED_TILES - 1u) / (2u * SCALED_TILES) * 2u;
  let halves = scale[(nth / K4 * scales_of_inputs + nth % K4 / SCALED_TILES) * TILE_GROUP + i % TILE_GROUP];
  let factor = vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
  return mat4x4f(
    factor * weight_outputs(words.x),
    factor * weight_outputs(words.x >> 16u),
    factor * weight_outputs(words.y),
    factor * weight_outputs(words.y >> 16u),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
