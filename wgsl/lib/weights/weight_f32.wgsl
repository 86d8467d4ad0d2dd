// A packed weight matrix as stored: in float32. See linear.wgsl for the order of the tiles.
//
//   weight  [tiles]: 64 bytes each
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 4u;

// Tile i; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  return mat4x4f(
    bitcast<vec4f>(weight_load(i, 0u)),
    bitcast<vec4f>(weight_load(i, 1u)),
    bitcast<vec4f>(weight_load(i, 2u)),
    bitcast<vec4f>(weight_load(i, 3u)),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
