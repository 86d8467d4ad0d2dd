// The product of linear.wgsl for many rows, in blocks of 64 rows × 64 outputs, for hardware GPUs: what a workgroup reads
// goes through workgroup memory and serves it 64 times.
//
//   x  [n_rows rounded up to 64, K4]
//   y  [n_rows rounded up to 64, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A workgroup of 16 × 8 lanes makes 64 outputs of 64 rows; the grid is (groups of 64 rows, groups of 16 output tiles):
// the groups of rows that follow one another find the weights in the cache. A lane makes four outputs of eight rows,
// which are eight apart. 32 inputs at a time are in workgroup memory, 16 KiB; the next ones are on their way meanwhile.
//
// requires: linear.wgsl

const ROWS = 64u;
const TILES = 16u;
const DEPTH4 = 8u;

// [DEPTH4, ROWS], where row r of k4 lies at r ^ k4: lanes that write neighbouring k4 would meet in one bank.
var<workgroup> x_part: array<vec4f, DEPTH4 * ROWS>;
// [DEPTH4, 4, TILES]
var<workgroup> w_part: array<vec4f, 4u * DEPTH4 * TILES>;

// What a lane fetches of the next inputs: a weight tile, and one vector of each of four rows.
struct Fetched {
  tile: StoredTile,
  x0: vec4f,
  x1: vec4f,
  x2: vec4f,
  x3: vec4f,
}

@compute @workgroup_size(TILES, DEPTH4)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.y * TILES + local.x;
  let n4 = workgroup.y * TILES + local.x;
  let w = first_tile(min(n4, N4 - 1u));
  let row = workgroup.x * ROWS;
  let x_k4 = lane % DEPTH4;
  let x_row = lane / DEPTH4;
  let x_first = (row + x_row) * K4;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var next = fetch(w, local.y, x_first, x_k4);
  for (var k4 = 0u; k4 < K4; k4 += DEPTH4) {
    workgroupBarrier();
    let x_at = x_k4 * ROWS + (x_row ^ x_k4);
    x_part[x_at] = next.x0;
    x_part[x_at + 16u] = next.x1;
    x_part[x_at + 32u] = next.x2;
    x_part[x_at + 48u] = next.x3;
    let tile = weight_decode(next.tile);
    let w_at = local.y * 4u * TILES + local.x;
    w_part[w_at] = tile[0];
    w_part[w_at + TILES] = tile[1];
    w_part[w_at + 2u * TILES] = tile[2];
    w_part[w_at + 3u * TILES] = tile[3];
    workgroupBarrier();
    next = fetch(w, k4 + DEPTH4 + local.y, x_first, k4 + DEPTH4 + x_k4);
    for (var d4 = 0u; d4 < DEPTH4; d4++) {
      let t = d4 * 4u * TILES + local.x;
      let four = mat4x4f(w_part[t], w_part[t + TILES], w_part[t + 2u * TILES], w_part[t + 3u * TILES]);
      let i = d4 * ROWS + (local.y ^ d4);
      sum0 += four * x_part[i];
      sum1 += four * x_part[i + 8u];
      sum2 += four * x_part[i + 16u];
      sum3 += four * x_part[i + 24u];
      sum4 += four * x_part[i + 32u];
      sum5 += four * x_part[i + 40u];
      sum6 += four * x_part[i + 48u];
      sum7 += four * x_part[i + 56u];
    }
  }
  if (n4 >= N4) {
    return;
  }
  let finish = finish_of(n4);
  let first = row + local.y;
  store_finished(first, n4, sum0, finish);
  store_finished(first + 8u, n4, sum1, finish);
  store_finished(first + 16u, n4, sum2, finish);
  store_finished(first + 24u, n4, sum3, finish);
  store_finished(first + 32u, n4, sum4, finish);
  store_finished(first + 40u, n4, sum5, finish);
  store_finished(first + 48u, n4, sum6, finish);
  store_finished(first + 56u, n4, sum7, finish);
}

// Tile w_k4 from w on, and vector x_k4 of four rows, sixteen apart; zeros behind the last input.
fn fetch(w: u32, w_k4: u32, x_first: u32, x_k4: u32) -> Fetched {
  let i = x_first + min(x_k4, K4 - 1u);
  let inside = x_k4 < K4;
  return Fetched(
    weight_fetch(w + min(w_k4, K4 - 1u) * TILE_GROUP),
    select(vec4f(), x_load(i), inside),
    select(vec4f(), x_load(i + 16u * K4), inside),
    select(vec4f(), x_load(i + 32u * K4), inside),
    select(vec4f(), x_load(i + 48u * K4), inside),
  );
}
