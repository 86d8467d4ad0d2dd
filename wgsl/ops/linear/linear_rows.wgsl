// The product of linear.wgsl for many rows: each weight tile that a lane reads serves eight rows.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A lane makes four outputs of eight rows; the grid is (output tiles, groups of eight rows).
//
// requires: linear.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x;
  if (n4 >= N4) {
    return;
  }
  let row = id.y * 8u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var w = first_tile(n4);
  let first = row * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let tile = weight_tile(w);
    let i = first + k4;
    sum0 += tile * x_load(i);
    sum1 += tile * x_load(i + K4);
    sum2 += tile * x_load(i + 2u * K4);
    sum3 += tile * x_load(i + 3u * K4);
    sum4 += tile * x_load(i + 4u * K4);
    sum5 += tile * x_load(i + 5u * K4);
    sum6 += tile * x_load(i + 6u * K4);
    sum7 += tile * x_load(i + 7u * K4);
    w += TILE_GROUP;
  }
  store(row, n4, sum0);
  store(row + 1u, n4, sum1);
  store(row + 2u, n4, sum2);
  store(row + 3u, n4, sum3);
  store(row + 4u, n4, sum4);
  store(row + 5u, n4, sum5);
  store(row + 6u, n4, sum6);
  store(row + 7u, n4, sum7);
}
