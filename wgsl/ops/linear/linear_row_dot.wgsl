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
    let steps = input_steps(own, magnitude);
    let x0 = subgroupBroadcast(steps, 0u);
    let x1 = subgroupBroadcast(steps, 1u);
    let x2 = subgroupBroadcast(steps, 2u);
    let x3 = subgroupBroadcast(steps, 3u);
    let x4 = subgroupBroadcast(steps, 4u);
    let x5 = subgroupBroadcast(steps, 5u);
    let x6 = subgroupBroadcast(steps, 6u);
    let x7 = subgroupBroadcast(steps, 7u);
    var dots = dots_before(sum_of(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7));
    // Behind the last input any tiles, of zeros.
    add_products(&dots, whole_tiles(w), x0);
    add_products(&dots, whole_tiles(w + TILE_GROUP), x1);
    add_products(&dots, whole_tiles(w + 2u * TILE_GROUP), x2);
    add_products(&dots, whole_tiles(w + 3u * TILE_GROUP), x3);
    add_products(&dots, whole_tiles(w + 4u * TILE_GROUP), x4);
    add_products(&dots, whole_tiles(w + 5u * TILE_GROUP), x5);
    add_products(&dots, whole_tiles(w + 6u * TILE_GROUP), x6);
    add_products(&dots, whole_tiles(w + 7u * TILE_GROUP), x7);
    add_dots(&sums, dots, input_unit(magnitude));
    w += GROUP4 * TILE_GROUP;
  }
  if (n4 < N4) {
    store_four(row, n4, sums);
  }
}
