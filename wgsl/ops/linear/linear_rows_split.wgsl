// The product of linear.wgsl for up to a few dozen rows, with the sum over k split among K_SPLIT lanes of a workgroup
// and added up in a tree; each weight tile that a lane reads serves eight rows. For hardware GPUs.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A workgroup of LANES × K_SPLIT lanes (at most 128; K_SPLIT a power of two) makes 4 * LANES outputs of eight rows;
// the grid is (groups of LANES output tiles, groups of eight rows).
//
// requires: linear.wgsl

override K_SPLIT: u32;
override LANES_HALVED: u32 = LANES * K_SPLIT / 2u;

// Tiles that a lane reads at once: 1 or 2.
override AT_ONCE: u32;

var<workgroup> halves: array<vec4f, 8u * LANES_HALVED>;

@compute @workgroup_size(LANES, K_SPLIT)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = workgroup.x * LANES + local.x;
  let w = first_tile(min(n4, N4 - 1u));
  let row = workgroup.y * 8u;
  var sums: Eight;
  for (var k4 = local.y; k4 < K4; k4 += AT_ONCE * K_SPLIT) {
    let a = fetch_tile(w, row * K4, k4);
    if (AT_ONCE == 1u) {
      add_tile(&sums, a);
    } else {
      let b = fetch_tile(w, row * K4, k4 + K_SPLIT);
      add_tile(&sums, a);
      add_tile(&sums, b);
    }
  }
  for (var half = K_SPLIT / 2u; half > 0u; half /= 2u) {
    if (local.y >= half && local.y < 2u * half) {
      hand_over(sums, (local.y - half) * LANES + local.x);
    }
    workgroupBarrier();
    if (local.y < half) {
      take_over(&sums, local.y * LANES + local.x);
    }
    workgroupBarrier();
  }
  if (local.y != 0u || n4 >= N4) {
    return;
  }
  let finish = finish_of(n4);
  store_finished(row, n4, sums.row0, finish);
  store_finished(row + 1u, n4, sums.row1, finish);
  store_finished(row + 2u, n4, sums.row2, finish);
  store_finished(row + 3u, n4, sums.row3, finish);
  store_finished(row + 4u, n4, sums.row4, finish);
  store_finished(row + 5u, n4, sums.row5, finish);
  store_finished(row + 6u, n4, sums.row6, finish);
  store_finished(row + 7u, n4, sums.row7, finish);
}

// A tile, and the inputs of eight rows that it is multiplied by: zeros behind the last tile.
struct Fetched {
  tile: StoredTile,
  x: Eight,
}

fn fetch_tile(w: u32, first: u32, k4: u32) -> Fetched {
  let at = min(k4, K4 - 1u);
  return Fetched(
    weight_fetch(w + at * TILE_GROUP),
    Eight(
      fetch_x(first + at, k4),
      fetch_x(first + at + K4, k4),
      fetch_x(first + at + 2u * K4, k4),
      fetch_x(first + at + 3u * K4, k4),
      fetch_x(first + at + 4u * K4, k4),
      fetch_x(first + at + 5u * K4, k4),
      fetch_x(first + at + 6u * K4, k4),
      fetch_x(first + at + 7u * K4, k4),
    ),
  );
}

fn fetch_x(i: u32, k4: u32) -> vec4f {
  return select(vec4f(), x_load(i), k4 < K4);
}

fn add_tile(sums: ptr<function, Eight>, fetched: Fetched) {
  let tile = weight_decode(fetched.tile);
  (*sums).row0 += tile * fetched.x.row0;
  (*sums).row1 += tile * fetched.x.row1;
  (*sums).row2 += tile * fetched.x.row2;
  (*sums).row3 += tile * fetched.x.row3;
  (*sums).row4 += tile * fetched.x.row4;
  (*sums).row5 += tile * fetched.x.row5;
  (*sums).row6 += tile * fetched.x.row6;
  (*sums).row7 += tile * fetched.x.row7;
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
