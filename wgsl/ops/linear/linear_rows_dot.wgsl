// The product of linear.wgsl for many rows of rounded inputs, for CPU-like adapters whose subgroups have eight lanes or more:
// each weight tile that a lane reads serves eight rows, of which each lane rounds one and hands it on.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A lane makes 16 outputs of eight rows. The grid is (groups of eight rows, groups of LANES * 4 output tiles): the
// groups of rows that follow one another find the weights in the cache.
//
// requires: linear_dot.wgsl

// The words of a row's inputs that share a step.
struct Words {
  a: u32,
  b: u32,
  c: u32,
  d: u32,
  e: u32,
  f: u32,
  g: u32,
  h: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = (workgroup.y * LANES + local.x) * 4u;
  let row = workgroup.x * 8u;
  let first = (row + subgroupExclusiveAdd(1u) % 8u) * K4;
  var sums0: Sums;
  var sums1: Sums;
  var sums2: Sums;
  var sums3: Sums;
  var sums4: Sums;
  var sums5: Sums;
  var sums6: Sums;
  var sums7: Sums;
  var w = first_tile(min(n4, (N4 - 1u) & ~3u)); // lanes without outputs round inputs as well
  for (var k4 = 0u; k4 < K4; k4 += GROUP4) {
    let group = fetch_group(first, k4);
    let magnitude = input_magnitude(group);
    var words = words_of(group, magnitude);
    var dots0 = Dots();
    var dots1 = Dots();
    var dots2 = Dots();
    var dots3 = Dots();
    var dots4 = Dots();
    var dots5 = Dots();
    var dots6 = Dots();
    var dots7 = Dots();
    let end = min(k4 + GROUP4, K4);
    for (var i = k4; i < end; i++) {
      let tiles = whole_tiles(w);
      add_products(&dots0, tiles, subgroupBroadcast(words.a, 0u));
      add_products(&dots1, tiles, subgroupBroadcast(words.a, 1u));
      add_products(&dots2, tiles, subgroupBroadcast(words.a, 2u));
      add_products(&dots3, tiles, subgroupBroadcast(words.a, 3u));
      add_products(&dots4, tiles, subgroupBroadcast(words.a, 4u));
      add_products(&dots5, tiles, subgroupBroadcast(words.a, 5u));
      add_products(&dots6, tiles, subgroupBroadcast(words.a, 6u));
      add_products(&dots7, tiles, subgroupBroadcast(words.a, 7u));
      words = Words(words.b, words.c, words.d, words.e, words.f, words.g, words.h, 0u); // an index would be a walk through memory
      w += TILE_GROUP;
    }
    let unit = input_unit(magnitude);
    add_dots(&sums0, dots0, subgroupBroadcast(unit, 0u));
    add_dots(&sums1, dots1, subgroupBroadcast(unit, 1u));
    add_dots(&sums2, dots2, subgroupBroadcast(unit, 2u));
    add_dots(&sums3, dots3, subgroupBroadcast(unit, 3u));
    add_dots(&sums4, dots4, subgroupBroadcast(unit, 4u));
    add_dots(&sums5, dots5, subgroupBroadcast(unit, 5u));
    add_dots(&sums6, dots6, subgroupBroadcast(unit, 6u));
    add_dots(&sums7, dots7, subgroupBroadcast(unit, 7u));
  }
  store_eight(row, n4, sums0.a, sums1.a, sums2.a, sums3.a, sums4.a, sums5.a, sums6.a, sums7.a);
  store_eight(row, n4 + 1u, sums0.b, sums1.b, sums2.b, sums3.b, sums4.b, sums5.b, sums6.b, sums7.b);
  store_eight(row, n4 + 2u, sums0.c, sums1.c, sums2.c, sums3.c, sums4.c, sums5.c, sums6.c, sums7.c);
  store_eight(row, n4 + 3u, sums0.d, sums1.d, sums2.d, sums3.d, sums4.d, sums5.d, sums6.d, sums7.d);
}

fn words_of(group: Eight, magnitude: f32) -> Words {
  return Words(
    input_pack(group.row0, magnitude),
    input_pack(group.row1, magnitude),
    input_pack(group.row2, magnitude),
    input_pack(group.row3, magnitude),
    input_pack(group.row4, magnitude),
    input_pack(group.row5, magnitude),
    input_pack(group.row6, magnitude),
    input_pack(group.row7, magnitude),
  );
}
