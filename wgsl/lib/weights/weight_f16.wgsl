// A packed weight matrix as stored: in float16, two to a word, which needs no shader-f16. See linear.wgsl for the
// order of the tiles.
//
//   weight  [tiles]: 32 bytes each; words 2j and 2j + 1 hold outputs 0, 1 and 2, 3 of input j
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 2u;

// A tile as it is read.
struct StoredTile {
  near: vec4u, // inputs 0 and 1
  far: vec4u, // inputs 2 and 3
}

fn weight_fetch(i: u32) -> StoredTile {
  return StoredTile(weight_load(i, 0u), weight_load(i, 1u));
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  return mat4x4f(
    vec4f(unpack2x16float(tile.near.x), unpack2x16float(tile.near.y)),
    vec4f(unpack2x16float(tile.near.z), unpack2x16float(tile.near.w)),
    vec4f(unpack2x16float(tile.far.x), unpack2x16float(tile.far.y)),
    vec4f(unpack2x16float(tile.far.z), unpack2x16float(tile.far.w)),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
