// A packed weight matrix as stored: in float32. See linear.wgsl for the order of the tiles.
//
//   weight  [tiles]: 64 bytes each
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 4u;

// A tile as it is read.
struct StoredTile {
  a: vec4u,
  b: vec4u,
  c: vec4u,
  d: vec4u,
}

fn weight_fetch(i: u32) -> StoredTile {
  return StoredTile(weight_load(i, 0u), weight_load(i, 1u), weight_load(i, 2u), weight_load(i, 3u));
}

fn weight_decode(tile: StoredTile) -> mat4x4f {
  return mat4x4f(
    bitcast<vec4f>(tile.a),
    bitcast<vec4f>(tile.b),
    bitcast<vec4f>(tile.c),
    bitcast<vec4f>(tile.d),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
