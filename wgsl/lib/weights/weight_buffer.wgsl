// A packed weight matrix, or a part of one, in a buffer.
//
//   weight  [vectors of 16 bytes]
//
// requires: tile order
// provides: weight storage

@group(1) @binding(2) var<storage, read> weight: array<vec4u>;

fn weight_load(tile: u32, vector: u32) -> vec4u {
  return weight[tile_vector(tile, vector)];
}
