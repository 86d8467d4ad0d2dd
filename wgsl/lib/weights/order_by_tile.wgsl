// The order of a packed weight matrix: tile after tile. A lane that reads a tile reads one stretch.
//
// requires: weight format
// provides: tile order

fn tile_vector(tile: u32, vector: u32) -> u32 {
  return tile * TILE_VECTORS + vector;
}
