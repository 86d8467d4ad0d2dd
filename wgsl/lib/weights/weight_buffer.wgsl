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

// Half a vector, of types with so small tiles.
fn weight_half(nth: u32) -> vec2u {
  let first = nth % 2u * 2u;
  return vec2u(weight[nth / 2u][first], weight[nth / 2u][first + 1u]);
}
