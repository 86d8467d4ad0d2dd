// The product of linear.wgsl for many rows, for CPU-like adapters: each weight tile that a lane reads serves eight rows.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A lane makes 16 outputs of eight rows. The grid is (groups of eight rows, groups of LANES * 4 output tiles): the
// groups of rows that follow one another find the weights in the cache.
// Joined after linear_wide.wgsl.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = (workgroup.y * LANES + local.x) * 4u;
  if (n4 >= N4) {
    return;
  }
  var sums0: Sums;
  var sums1: Sums;
  var sums2: Sums;
  var sums3: Sums;
  var sums4: Sums;
  var sums5: Sums;
  var sums6: Sums;
  var sums7: Sums;
  var w = first_tile(n4);
  let row = workgroup.x * 8u;
  let first = row * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let tiles = four_tiles(w);
    let i = first + k4;
    add(&sums0, tiles, x_load(i));
    add(&sums1, tiles, x_load(i + K4));
    add(&sums2, tiles, x_load(i + 2u * K4));
    add(&sums3, tiles, x_load(i + 3u * K4));
    add(&sums4, tiles, x_load(i + 4u * K4));
    add(&sums5, tiles, x_load(i + 5u * K4));
    add(&sums6, tiles, x_load(i + 6u * K4));
    add(&sums7, tiles, x_load(i + 7u * K4));
    w += TILE_GROUP;
  }
  store_four(row, n4, sums0);
  store_four(row + 1u, n4, sums1);
  store_four(row + 2u, n4, sums2);
  store_four(row + 3u, n4, sums3);
  store_four(row + 4u, n4, sums4);
  store_four(row + 5u, n4, sums5);
  store_four(row + 6u, n4, sums6);
  store_four(row + 7u, n4, sums7);
}
