// The best candidate of a workgroup's in an argmax, in a tree.
//
// requires: argmax_best.wgsl

// Lanes of the workgroup, a power of two.
override LANES: u32;

var<workgroup> candidates: array<Best, LANES>;

// The best one, of use in lane 0.
fn best_of_lanes(lane: u32, own: Best) -> Best {
  candidates[lane] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      candidates[lane] = better(candidates[lane], candidates[lane + half]);
    }
  }
  return candidates[lane];
}
