// Candidates of an argmax.

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
