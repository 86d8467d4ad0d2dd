// The product of linear.wgsl for one row or very few and many outputs, for CPU-like adapters.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row. The grid is (groups of LANES * 4 output tiles, rows).
// CPU-like adapters pay for each sum that a loop carries: one trip does STEPS steps of k.
//
// requires: linear_wide.wgsl, four tiles, eight rows

// As many as keep a trip short enough for a CPU's cache of decoded instructions.
const STEPS = select(2u, 4u, TILE_VECTORS == 1u);

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x * 4u;
  let lane = eight_begin() % STEPS;
  let row = id.y * K4;
  var sums: Sums;
  var w = first_tile(min(n4, (N4 - 1u) & ~3u)); // lanes without outputs load inputs as well
  var k4 = 0u;
  for (; k4 + STEPS <= K4; k4 += STEPS) {
    let x = four_steps(row + k4, lane);
    var part = part_begin(sums);
    add(&part, part_tiles(w, 0u), x[0]);
    add(&part, part_tiles(w, 1u), x[1]);
    if (STEPS == 4u) {
      add(&part, part_tiles(w, 2u), x[2]);
      add(&part, part_tiles(w, 3u), x[3]);
    }
    sums = part_end(sums, part, w);
    w += STEPS * TILE_GROUP;
  }
  if (K4 % STEPS != 0u) {
    for (; k4 < K4; k4++) {
      add(&sums, four_tiles(w), x_load(row + k4));
      w += TILE_GROUP;
    }
  }
  if (n4 < N4) {
    store_four(id.y, n4, sums);
  }
}
