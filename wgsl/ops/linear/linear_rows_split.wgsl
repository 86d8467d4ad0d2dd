// The product of linear.wgsl for up to a few dozen rows, with the sum over k split among K_SPLIT lanes of a workgroup
// and added up in a tree; each weight tile that a lane reads serves eight rows. For hardware GPUs.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A workgroup of LANES × K_SPLIT lanes (at most 128; K_SPLIT a power of two) makes 4 * LANES outputs of eight rows;
// the grid is (groups of LANES output tiles, groups of eight rows).
//
// requires: linear_eight_halves.wgsl

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
  store_joined(&sums, row, n4, local.xy);
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
