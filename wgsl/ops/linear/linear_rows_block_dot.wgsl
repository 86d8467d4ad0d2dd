// The product of linear.wgsl for many rows of rounded inputs, in blocks of 64 rows × 64 outputs, for hardware GPUs: what a
// workgroup reads goes through workgroup memory, inputs rounded, and serves it 64 times.
//
//   x  [n_rows rounded up to 64, K4]
//   y  [n_rows rounded up to 64, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A workgroup of 16 × 8 lanes makes 64 outputs of 64 rows; the grid is (groups of 64 rows, groups of 16 output tiles). A
// lane makes four outputs of eight rows, which are eight apart. The 32 inputs that share a step are in workgroup memory at
// a time, each row rounded by one lane; the next ones are on their way meanwhile.
//
// requires: input format, linear_group.wgsl

const ROWS = 64u;
const TILES = 16u;

// [GROUP4, ROWS]
var<workgroup> x_words: array<u32, GROUP4 * ROWS>;
var<workgroup> x_units: array<f32, ROWS>;
// [GROUP4, TILES]
var<workgroup> w_part: array<StoredTile, GROUP4 * TILES>;

@compute @workgroup_size(TILES, GROUP4)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.y * TILES + local.x;
  let n4 = workgroup.y * TILES + local.x;
  let w = first_tile(min(n4, N4 - 1u));
  let row = workgroup.x * ROWS;
  let x_first = (row + lane) * K4;
  var sums: Eight;
  var tile = fetch_tile(w, local.y);
  var group: Eight;
  if (lane < ROWS) {
    group = fetch_group(x_first, 0u);
  }
  for (var k4 = 0u; k4 < K4; k4 += GROUP4) {
    workgroupBarrier();
    if (lane < ROWS) {
      keep_group(lane, group);
    }
    w_part[lane] = tile;
    workgroupBarrier();
    tile = fetch_tile(w, k4 + GROUP4 + local.y);
    if (lane < ROWS) {
      group = fetch_group(x_first, k4 + GROUP4);
    }
    var dots0 = vec4i();
    var dots1 = vec4i();
    var dots2 = vec4i();
    var dots3 = vec4i();
    var dots4 = vec4i();
    var dots5 = vec4i();
    var dots6 = vec4i();
    var dots7 = vec4i();
    for (var d4 = 0u; d4 < GROUP4; d4++) {
      let four = w_part[d4 * TILES + local.x];
      let i = d4 * ROWS + local.y;
      dots0 += input_dots(four, x_words[i]);
      dots1 += input_dots(four, x_words[i + 8u]);
      dots2 += input_dots(four, x_words[i + 16u]);
      dots3 += input_dots(four, x_words[i + 24u]);
      dots4 += input_dots(four, x_words[i + 32u]);
      dots5 += input_dots(four, x_words[i + 40u]);
      dots6 += input_dots(four, x_words[i + 48u]);
      dots7 += input_dots(four, x_words[i + 56u]);
    }
    sums.row0 += vec4f(dots0) * x_units[local.y];
    sums.row1 += vec4f(dots1) * x_units[local.y + 8u];
    sums.row2 += vec4f(dots2) * x_units[local.y + 16u];
    sums.row3 += vec4f(dots3) * x_units[local.y + 24u];
    sums.row4 += vec4f(dots4) * x_units[local.y + 32u];
    sums.row5 += vec4f(dots5) * x_units[local.y + 40u];
    sums.row6 += vec4f(dots6) * x_units[local.y + 48u];
    sums.row7 += vec4f(dots7) * x_units[local.y + 56u];
  }
  if (n4 >= N4) {
    return;
  }
  let finish = finish_of(n4);
  let first = row + local.y;
  store_finished(first, n4, sums.row0, finish);
  store_finished(first + 8u, n4, sums.row1, finish);
  store_finished(first + 16u, n4, sums.row2, finish);
  store_finished(first + 24u, n4, sums.row3, finish);
  store_finished(first + 32u, n4, sums.row4, finish);
  store_finished(first + 40u, n4, sums.row5, finish);
  store_finished(first + 48u, n4, sums.row6, finish);
  store_finished(first + 56u, n4, sums.row7, finish);
}

// Tile k4 from w on; behind the last input any, since its inputs are zeros.
fn fetch_tile(w: u32, k4: u32) -> StoredTile {
  return weight_fetch(w + min(k4, K4 - 1u) * TILE_GROUP);
}

fn keep_group(row: u32, group: Eight) {
  let magnitude = input_magnitude(group);
  x_units[row] = input_unit(magnitude);
  x_words[row] = input_pack(group.row0, magnitude);
  x_words[row + ROWS] = input_pack(group.row1, magnitude);
  x_words[row + 2u * ROWS] = input_pack(group.row2, magnitude);
  x_words[row + 3u * ROWS] = input_pack(group.row3, magnitude);
  x_words[row + 4u * ROWS] = input_pack(group.row4, magnitude);
  x_words[row + 5u * ROWS] = input_pack(group.row5, magnitude);
  x_words[row + 6u * ROWS] = input_pack(group.row6, magnitude);
  x_words[row + 7u * ROWS] = input_pack(group.row7, magnitude);
}
