// A packed weight matrix as stored: in int8, w[k, n] = q[k, n] * scale[n] with q from -127 to 127 (symmetric, one
// scale per output channel). See linear.wgsl for the order of the tiles.
//
//   weight  [tiles]: 16 bytes each; byte j of word i holds input j of output i
//   scale   [N4]
//
// A tile holds 2^24 q: a byte at the top of a word is an integer that needs no sign extension.
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 1u;
const TOP_BYTE = vec4i(-0x1000000);

@group(1) @binding(4) var<storage, read> scale: array<vec4f>;

// A tile as it is read.
struct StoredTile {
  words: vec4i,
}

fn weight_fetch(i: u32) -> StoredTile {
  return StoredTile(bitcast<vec4i>(weight_load(i, 0u)));
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  return mat4x4f(
    vec4f(tile.words << vec4u(24u)),
    vec4f((tile.words << vec4u(16u)) & TOP_BYTE),
    vec4f((tile.words << vec4u(8u)) & TOP_BYTE),
    vec4f(tile.words & TOP_BYTE),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return scale[n4] / 16777216.0;
}
