// The product of linear.wgsl for more than eight rows, for CPU-like adapters: each weight tile that a lane reads serves sixteen rows.
//
//   x  [n_rows rounded up to 16, K4]
//   y  [n_rows rounded up to 16, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A lane makes 16 outputs of sixteen rows. The grid is (groups of sixteen rows, groups of LANES * 4 output tiles): the
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
  var sums8: Sums;
  var sums9: Sums;
  var sums10: Sums;
  var sums11: Sums;
  var sums12: Sums;
  var sums13: Sums;
  var sums14: Sums;
  var sums15: Sums;
  var w = first_tile(min(n4, (N4 - 1u) & ~3u)); // lanes without outputs load rows as well
  let row = workgroup.x * 16u;
  let lane = eight_begin();
  let first = row * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let tiles = four_tiles(w);
    let near = eight_rows(first + k4, lane);
    add(&sums0, tiles, near.row0);
    add(&sums1, tiles, near.row1);
    add(&sums2, tiles, near.row2);
    add(&sums3, tiles, near.row3);
    add(&sums4, tiles, near.row4);
    add(&sums5, tiles, near.row5);
    add(&sums6, tiles, near.row6);
    add(&sums7, tiles, near.row7);
    let far = eight_rows(first + k4 + 8u * K4, lane);
    add(&sums8, tiles, far.row0);
    add(&sums9, tiles, far.row1);
    add(&sums10, tiles, far.row2);
    add(&sums11, tiles, far.row3);
    add(&sums12, tiles, far.row4);
    add(&sums13, tiles, far.row5);
    add(&sums14, tiles, far.row6);
    add(&sums15, tiles, far.row7);
    w += TILE_GROUP;
  }
  store_eight(row, n4, sums0.a, sums1.a, sums2.a, sums3.a, sums4.a, sums5.a, sums6.a, sums7.a);
  store_eight(row + 8u, n4, sums8.a, sums9.a, sums10.a, sums11.a, sums12.a, sums13.a, sums14.a, sums15.a);
  store_eight(row, n4 + 1u, sums0.b, sums1.b, sums2.b, sums3.b, sums4.b, sums5.b, sums6.b, sums7.b);
  store_eight(row + 8u, n4 + 1u, sums8.b, sums9.b, sums10.b, sums11.b, sums12.b, sums13.b, sums14.b, sums15.b);
  store_eight(row, n4 + 2u, sums0.c, sums1.c, sums2.c, sums3.c, sums4.c, sums5.c, sums6.c, sums7.c);
  store_eight(row + 8u, n4 + 2u, sums8.c, sums9.c, sums10.c, sums11.c, sums12.c, sums13.c, sums14.c, sums15.c);
  store_eight(row, n4 + 3u, sums0.d, sums1.d, sums2.d, sums3.d, sums4.d, sums5.d, sums6.d, sums7.d);
  store_eight(row + 8u, n4 + 3u, sums8.d, sums9.d, sums10.d, sums11.d, sums12.d, sums13.d, sums14.d, sums15.d);
}
