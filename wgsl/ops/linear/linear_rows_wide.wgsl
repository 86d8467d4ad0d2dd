// The product of linear.wgsl for many rows, for CPU-like adapters: each weight tile that a lane reads serves eight rows.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A lane makes 16 outputs of eight rows. The grid is (groups of eight rows, groups of LANES * 4 output tiles): the
// groups of rows that follow one another find the weights in the cache.
//
// requires: linear_wide.wgsl, four tiles, eight rows

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = (workgroup.y * LANES + local.x) * 4u;
  var sums0: Sums;
  var sums1: Sums;
  var sums2: Sums;
  var sums3: Sums;
  var sums4: Sums;
  var sums5: Sums;
  var sums6: Sums;
  var sums7: Sums;
  var w = first_tile(min(n4, (N4 - 1u) & ~3u)); // lanes without outputs load rows as well
  let row = workgroup.x * 8u;
  let lane = eight_begin();
  let first = row * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let tiles = four_tiles(w);
    let eight = eight_rows(first + k4, lane);
    add(&sums0, tiles, eight.row0);
    add(&sums1, tiles, eight.row1);
    add(&sums2, tiles, eight.row2);
    add(&sums3, tiles, eight.row3);
    add(&sums4, tiles, eight.row4);
    add(&sums5, tiles, eight.row5);
    add(&sums6, tiles, eight.row6);
    add(&sums7, tiles, eight.row7);
    w += TILE_GROUP;
  }
  store_eight(row, n4, sums0.a, sums1.a, sums2.a, sums3.a, sums4.a, sums5.a, sums6.a, sums7.a);
  store_eight(row, n4 + 1u, sums0.b, sums1.b, sums2.b, sums3.b, sums4.b, sums5.b, sums6.b, sums7.b);
  store_eight(row, n4 + 2u, sums0.c, sums1.c, sums2.c, sums3.c, sums4.c, sums5.c, sums6.c, sums7.c);
  store_eight(row, n4 + 3u, sums0.d, sums1.d, sums2.d, sums3.d, sums4.d, sums5.d, sums6.d, sums7.d);
}
