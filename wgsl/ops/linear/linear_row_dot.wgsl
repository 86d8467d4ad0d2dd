// The product of linear.wgsl for one row or very few, of rounded inputs, for CPU-like adapters whose subgroups have eight
// lanes or more: each lane rounds a vector of those that share a step, and hands it on.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row. The grid is (groups of LANES * 4 output tiles, rows).
//
// requires: linear_dot.wgsl

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let n4 = id.x * 4u;
  let lane = subgroupExclusiveAdd(1u) % 8u;
  var sums: Sums;
  var w = first_tile(min(n4, (N4 - 1u) & ~3u)); // lanes without outputs round inputs as well
  for (var k4 = 0u; k4 < K4; k4 += GROUP4) {
    let own = fetch_x(row * K4, k4 + lane);
    let magnitude = input_magnitude_of(subgroupMax(largest_of(magnitudes(own))));
    let word = input_pack(own, magnitude);
    var dots = Dots();
    // Behind the last input any tiles, of zeros.
    add_products(&dots, whole_tiles(w), subgroupBroadcast(word, 0u));
    add_products(&dots, whole_tiles(w + TILE_GROUP), subgroupBroadcast(word, 1u));
    add_products(&dots, whole_tiles(w + 2u * TILE_GROUP), subgroupBroadcast(word, 2u));
    add_products(&dots, whole_tiles(w + 3u * TILE_GROUP), subgroupBroadcast(word, 3u));
    add_products(&dots, whole_tiles(w + 4u * TILE_GROUP), subgroupBroadcast(word, 4u));
    add_products(&dots, whole_tiles(w + 5u * TILE_GROUP), subgroupBroadcast(word, 5u));
    add_products(&dots, whole_tiles(w + 6u * TILE_GROUP), subgroupBroadcast(word, 6u));
    add_products(&dots, whole_tiles(w + 7u * TILE_GROUP), subgroupBroadcast(word, 7u));
    add_dots(&sums, dots, input_unit(magnitude));
    w += GROUP4 * TILE_GROUP;
  }
  if (n4 < N4) {
    store_four(row, n4, sums);
  }
}
