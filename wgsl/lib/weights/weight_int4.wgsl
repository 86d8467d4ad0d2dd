// A packed weight matrix in four bits: w[k, n] = (q[k, n] - 8) * scale[k / 32, n], with q from 1 to 15. See linear.wgsl for
// the order of the tiles.
//
//   weight  [tiles]: 8 bytes each; the half of a word that holds input j has output i in its nibble i
//   scale   [N4 / TILE_GROUP rounded up, K4 / 16 rounded up, 2, TILE_GROUP]: of 32 inputs, four outputs' in float16
//
// requires: weight storage, weight_shape.wgsl
// provides: weight format

const TILE_VECTORS = 1u; // of two tiles
const SCALED_TILES = 8u; // tiles of inputs that share scales

@group(1) @binding(4) var<storage, read> scale: array<vec2u>;

// A tile as it is read, and what it is scaled by within the sum.
struct StoredTile {
  words: vec2u,
  halves: vec2u,
}

fn weight_fetch(i: u32) -> StoredTile {
  let pair = weight_load(i / 2u, 0u);
  let nth = i / TILE_GROUP; // tile of inputs, of all groups of outputs
  let scales_of_inputs = (K4 + 2u * SCALED_TILES - 1u) / (2u * SCALED_TILES) * 2u;
  let at = (nth / K4 * scales_of_inputs + nth % K4 / SCALED_TILES) * TILE_GROUP + i % TILE_GROUP;
  return StoredTile(select(pair.xy, pair.zw, i % 2u == 1u), scale[at]);
}

// Four outputs of an input.
fn weight_outputs(half_word: u32) -> vec4f {
  return vec4f((vec4u(half_word) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) - vec4f(8.0);
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  let factor = vec4f(unpack2x16float(tile.halves.x), unpack2x16float(tile.halves.y));
  return mat4x4f(
    factor * weight_outputs(tile.words.x),
    factor * weight_outputs(tile.words.x >> 16u),
    factor * weight_outputs(tile.words.y),
    factor * weight_outputs(tile.words.y >> 16u),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
