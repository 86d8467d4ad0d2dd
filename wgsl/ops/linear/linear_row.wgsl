// The product of linear.wgsl for one row or very few, for CPU-like adapters.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes four outputs of one row; the grid is (groups of LANES output tiles, rows).
//
// requires: linear.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x;
  if (n4 >= N4) {
    return;
  }
  var sum = vec4f();
  var w = first_tile(n4);
  let row = id.y * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    sum += weight_tile(w) * x_load(row + k4);
    w += TILE_GROUP;
  }
  store(id.y, n4, sum);
}
