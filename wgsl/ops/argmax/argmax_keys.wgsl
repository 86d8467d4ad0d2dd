// Candidates of an argmax, and the best one of a workgroup's, in a tree.

// Lanes of the workgroup, a power of two.
override LANES: u32;

// A logit as a number that orders as it does, equal for both zeros, and its id.
struct Best {
  key: u32,
  id: u32,
}

const NOT_FINITE = 0xffffffffu;
const MAGNITUDE = 0x7fffffffu; // all bits but the sign
const INFINITY = 0x7f800000u; // the least magnitude that is not finite
// Of what is not finite: larger than all others.
const BROKEN = Best(0xffffffffu, NOT_FINITE);
const NONE = Best(0u, NOT_FINITE);

var<workgroup> candidates: array<Best, LANES>;

fn best_of(bits: u32, id: u32) -> Best {
  if ((bits & MAGNITUDE) >= INFINITY) {
    return BROKEN;
  }
  return Best(select(bits | 0x80000000u, 0u - bits, (bits >> 31u) == 1u), id);
}

fn better(a: Best, b: Best) -> Best {
  if (b.key > a.key || (b.key == a.key && b.id < a.id)) {
    return b;
  }
  return a;
}

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
