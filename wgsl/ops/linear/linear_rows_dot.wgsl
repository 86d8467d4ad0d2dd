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

// The inputs of a row that share a step.
struct Rounded {
  words: Words,
  unit: f32,
  inputs: i32, // their sum in steps
}

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
    let own = rounded(fetch_group(first, k4));
    var words = own.words;
    var dots0 = dots_before(subgroupBroadcast(own.inputs, 0u));
    var dots1 = dots_before(subgroupBroadcast(own.inputs, 1u));
    var dots2 = dots_before(subgroupBroadcast(own.inputs, 2u));
    var dots3 = dots_before(subgroupBroadcast(own.inputs, 3u));
    var dots4 = dots_before(subgroupBroadcast(own.inputs, 4u));
    var dots5 = dots_before(subgroupBroadcast(own.inputs, 5u));
    var dots6 = dots_before(subgroupBroadcast(own.inputs, 6u));
    var dots7 = dots_before(subgroupBroadcast(own.inputs, 7u));
    // Behind the last input any tiles, of zeros.
    for (var i = 0u; i < GROUP4; i++) {
      let tiles = whole_tiles(w);
      let x = input_spread(words.a);
      add_products(&dots0, tiles, subgroupBroadcast(x, 0u));
      add_products(&dots1, tiles, subgroupBroadcast(x, 1u));
      add_products(&dots2, tiles, subgroupBroadcast(x, 2u));
      add_products(&dots3, tiles, subgroupBroadcast(x, 3u));
      add_products(&dots4, tiles, subgroupBroadcast(x, 4u));
      add_products(&dots5, tiles, subgroupBroadcast(x, 5u));
      add_products(&dots6, tiles, subgroupBroadcast(x, 6u));
      add_products(&dots7, tiles, subgroupBroadcast(x, 7u));
      words = Words(words.b, words.c, words.d, words.e, words.f, words.g, words.h, 0u); // an index would be a walk through memory
      w += TILE_GROUP;
    }
    add_dots(&sums0, dots0, subgroupBroadcast(own.unit, 0u));
    add_dots(&sums1, dots1, subgroupBroadcast(own.unit, 1u));
    add_dots(&sums2, dots2, subgroupBroadcast(own.unit, 2u));
    add_dots(&sums3, dots3, subgroupBroadcast(own.unit, 3u));
    add_dots(&sums4, dots4, subgroupBroadcast(own.unit, 4u));
    add_dots(&sums5, dots5, subgroupBroadcast(own.unit, 5u));
    add_dots(&sums6, dots6, subgroupBroadcast(own.unit, 6u));
    add_dots(&sums7, dots7, subgroupBroadcast(own.unit, 7u));
  }
  store_eight(row, n4, sums0.a, sums1.a, sums2.a, sums3.a, sums4.a, sums5.a, sums6.a, sums7.a);
  store_eight(row, n4 + 1u, sums0.b, sums1.b, sums2.b, sums3.b, sums4.b, sums5.b, sums6.b, sums7.b);
  store_eight(row, n4 + 2u, sums0.c, sums1.c, sums2.c, sums3.c, sums4.c, sums5.c, sums6.c, sums7.c);
  store_eight(row, n4 + 3u, sums0.d, sums1.d, sums2.d, sums3.d, sums4.d, sums5.d, sums6.d, sums7.d);
}

fn rounded(group: Eight) -> Rounded {
  let magnitude = input_magnitude(group);
  let a = input_steps(group.row0, magnitude);
  let b = input_steps(group.row1, magnitude);
  let c = input_steps(group.row2, magnitude);
  let d = input_steps(group.row3, magnitude);
  let e = input_steps(group.row4, magnitude);
  let f = input_steps(group.row5, magnitude);
  let g = input_steps(group.row6, magnitude);
  let h = input_steps(group.row7, magnitude);
  let words = Words(
    input_word(a),
    input_word(b),
    input_word(c),
    input_word(d),
    input_word(e),
    input_word(f),
    input_word(g),
    input_word(h),
  );
  return Rounded(words, input_unit(magnitude), sum_of(a + b + c + d + e + f + g + h));
}
