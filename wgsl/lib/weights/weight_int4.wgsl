// A packed weight matrix in four bits: w[k, n] = q[k, n] * scale[k / 32, n] with q from -7 to 7. See linear.wgsl for the
// order of the tiles, of which those of 64 inputs and TILE_GROUP * 4 outputs are a block, with their scales ahead of them.
//
//   weight  [blocks, 18 * TILE_GROUP] halves of vectors, of which
//     the first 2 * TILE_GROUP are scales  [2, TILE_GROUP]: of 32 inputs, four outputs' in float16
//     the others are tiles                 the half of a word that holds input j has output i in nibble i
//
// requires: weight storage, weight_shape.wgsl
// provides: weight format

const TILE_VECTORS = 1u; // of two tiles

// A tile as it is read, and what it is scaled by within the sum.
struct StoredTile {
  words: vec2u,
  scales: vec2u,
}

fn tile_half(i: u32) -> u32 {
  let block = 16u * TILE_GROUP;
  return i / block * 18u * TILE_GROUP + 2u * TILE_GROUP + i % block;
}

fn scales_half(i: u32) -> u32 {
  return i / (16u * TILE_GROUP) * 18u * TILE_GROUP + i / (8u * TILE_GROUP) % 2u * TILE_GROUP + i % TILE_GROUP;
}

fn weight_fetch(i: u32) -> StoredTile {
  return StoredTile(weight_half(tile_half(i)), weight_half(scales_half(i)));
}

// Four outputs of the input that begins at a bit of a word.
fn outputs_at(word: u32, bit: u32) -> vec4f {
  let signed = bitcast<i32>(word);
  return vec4f(vec4i(
    extractBits(signed, bit, 4u),
    extractBits(signed, bit + 4u, 4u),
    extractBits(signed, bit + 8u, 4u),
    extractBits(signed, bit + 12u, 4u),
  ));
}

fn scales_of(halves: vec2u) -> vec4f {
  return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  let scales = scales_of(tile.scales);
  return mat4x4f(
    scales * outputs_at(tile.words.x, 0u),
    scales * outputs_at(tile.words.x, 16u),
    scales * outputs_at(tile.words.y, 0u),
    scales * outputs_at(tile.words.y, 16u),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
