// The order of a packed weight matrix: of eight tiles the first vectors, then the second ones, and so on. Eight lanes that
// read one vector of a tile each read 128 bytes that lie together.
//
// requires: weight format
// provides: tile order

fn tile_vector(tile: u32, vector: u32) -> u32 {
  return (tile & ~7u) * TILE_VECTORS + (tile & 7u) + 8u * vector;
}
