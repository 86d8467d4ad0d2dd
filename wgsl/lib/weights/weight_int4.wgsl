// A packed weight matrix in four bits: w[k, n] = q[k, n] * scale[k / 32, n] with q from -7 to 7. See linear.wgsl for the
// order of the tiles, of which those of 64 inputs and TILE_GROUP * 4 outputs are a block, with their scales ahead of them.
//
//   weight  [blocks, 9 * TILE_GROUP], of which
//     the first TILE_GROUP vectors are scales  [2, TILE_GROUP]: of 32 inputs, four outputs' in float16, two times a vector
//     the others are tiles                     two a vector; the half of a word that holds input j has output i in nibble i
//
// requires: weight storage, weight_shape.wgsl
// provides: weight format

const TILE_VECTORS = 1u; // of two tiles

// A tile as it is read, and what it is scaled by within the sum.
struct StoredTile {
  words: vec2u,
  halves: vec2u,
}

// The vector of tile i, which another one follows or precedes.
fn pair_load(i: u32) -> vec4u {
  let block = 16u * TILE_GROUP;
  return weight_load(i / block * 9u * TILE_GROUP + TILE_GROUP + i % block / 2u, 0u);
}

// Of all scales, four at a time, where those of tile i are.
fn scales_place(i: u32) -> u32 {
  return i / (16u * TILE_GROUP) * 18u * TILE_GROUP + i / (8u * TILE_GROUP) % 2u * TILE_GROUP + i % TILE_GROUP;
}

fn weight_fetch(i: u32) -> StoredTile {
  let place = scales_place(i);
  return StoredTile(half_of(pair_load(i), i), half_of(weight_load(place / 2u, 0u), place));
}

fn half_of(pair: vec4u, nth: u32) -> vec2u {
  return select(pair.xy, pair.zw, nth % 2u == 1u);
}

// A tile before it is scaled.
fn whole_numbers(words: vec2u) -> mat4x4f {
  return mat4x4f(
    whole_outputs(words.x << 16u),
    whole_outputs(words.x),
    whole_outputs(words.y << 16u),
    whole_outputs(words.y),
  );
}

// Four outputs of the input in the upper half of a word.
fn whole_outputs(word: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(word)) << vec4u(12u, 8u, 4u, 0u)) >> vec4u(28u));
}

fn scales_of(halves: vec2u) -> vec4f {
  return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
}

fn scaled(tile: mat4x4f, scales: vec4f) -> mat4x4f {
  return mat4x4f(tile[0] * scales, tile[1] * scales, tile[2] * scales, tile[3] * scales);
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  return scaled(whole_numbers(tile.words), scales_of(tile.halves));
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
