// The product of linear.wgsl for one row or very few and many outputs, for CPU-like adapters.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row. The grid is (groups of LANES * 4 output tiles, rows).
//
// requires: linear_wide.wgsl, input

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  input_begin(id.y, local.x);
  let n4 = id.x * 4u;
  if (n4 >= N4) {
    return;
  }
  var sums: Sums;
  var w = first_tile(n4);
  for (var k4 = 0u; k4 < K4; k4++) {
    add(&sums, four_tiles(w), input_load(id.y, k4));
    w += TILE_GROUP;
  }
  store_four(id.y, n4, sums);
}
