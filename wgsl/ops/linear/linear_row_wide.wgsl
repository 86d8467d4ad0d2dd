// The product of linear.wgsl for one row or very few and many outputs, for CPU-like adapters.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row. The grid is (groups of LANES * 4 output tiles, rows).
//
// requires: linear_wide.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x * 4u;
  if (n4 >= N4) {
    return;
  }
  var sums: Sums;
  var w = first_tile(n4);
  let row = id.y * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    add(&sums, four_tiles(w), x_load(row + k4));
    w += TILE_GROUP;
  }
  store_four(id.y, n4, sums);
}
