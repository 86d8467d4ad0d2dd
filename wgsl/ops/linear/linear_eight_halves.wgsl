// The sums over k of eight rows, joined in a tree among the K_SPLIT lanes of a workgroup that have parts of them, and stored.
//
// requires: linear.wgsl

override K_SPLIT: u32;
override AT_ONCE: u32; // tiles that a lane reads at once: 1 or 2
// Here and above, since naga 29 panics where an override stands behind an array of such a size.
override LANES_HALVED: u32 = LANES * K_SPLIT / 2u;

var<workgroup> halves: array<vec4f, 8u * LANES_HALVED>;

// Called by all lanes of a workgroup, each with its sums of output tile n4, of the rows from `row` on.
fn store_joined(sums: ptr<function, Eight>, row: u32, n4: u32, lane: vec2u) {
  for (var half = K_SPLIT / 2u; half > 0u; half /= 2u) {
    if (lane.y >= half && lane.y < 2u * half) {
      hand_over(*sums, (lane.y - half) * LANES + lane.x);
    }
    workgroupBarrier();
    if (lane.y < half) {
      take_over(sums, lane.y * LANES + lane.x);
    }
    workgroupBarrier();
  }
  if (lane.y != 0u || n4 >= N4) {
    return;
  }
  let finish = finish_of(n4);
  store_finished(row, n4, (*sums).row0, finish);
  store_finished(row + 1u, n4, (*sums).row1, finish);
  store_finished(row + 2u, n4, (*sums).row2, finish);
  store_finished(row + 3u, n4, (*sums).row3, finish);
  store_finished(row + 4u, n4, (*sums).row4, finish);
  store_finished(row + 5u, n4, (*sums).row5, finish);
  store_finished(row + 6u, n4, (*sums).row6, finish);
  store_finished(row + 7u, n4, (*sums).row7, finish);
}

fn hand_over(sums: Eight, at: u32) {
  halves[at] = sums.row0;
  halves[at + LANES_HALVED] = sums.row1;
  halves[at + 2u * LANES_HALVED] = sums.row2;
  halves[at + 3u * LANES_HALVED] = sums.row3;
  halves[at + 4u * LANES_HALVED] = sums.row4;
  halves[at + 5u * LANES_HALVED] = sums.row5;
  halves[at + 6u * LANES_HALVED] = sums.row6;
  halves[at + 7u * LANES_HALVED] = sums.row7;
}

fn take_over(sums: ptr<function, Eight>, at: u32) {
  (*sums).row0 += halves[at];
  (*sums).row1 += halves[at + LANES_HALVED];
  (*sums).row2 += halves[at + 2u * LANES_HALVED];
  (*sums).row3 += halves[at + 3u * LANES_HALVED];
  (*sums).row4 += halves[at + 4u * LANES_HALVED];
  (*sums).row5 += halves[at + 5u * LANES_HALVED];
  (*sums).row6 += halves[at + 6u * LANES_HALVED];
  (*sums).row7 += halves[at + 7u * LANES_HALVED];
}
