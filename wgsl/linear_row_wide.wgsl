// The product of linear.wgsl for one row or very few and many outputs, for CPU-like adapters.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row, so that each element of x that it reads serves four tiles; TILE_GROUP is 4.
// The grid is (groups of LANES * 4 output tiles, rows).
// Joined after linear.wgsl.

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x * 4u;
  if (n4 >= N4) {
    return;
  }
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var w = first_tile(n4);
  let row = id.y * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let v = x[row + k4];
    sum0 += weight_tile(w) * v;
    sum1 += weight_tile(w + 1u) * v;
    sum2 += weight_tile(w + 2u) * v;
    sum3 += weight_tile(w + 3u) * v;
    w += TILE_GROUP;
  }
  store(id.y, n4, sum0);
  if (n4 + 1u < N4) {
    store(id.y, n4 + 1u, sum1);
  }
  if (n4 + 2u < N4) {
    store(id.y, n4 + 2u, sum2);
  }
  if (n4 + 3u < N4) {
    store(id.y, n4 + 3u, sum3);
  }
}
