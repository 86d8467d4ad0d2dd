// The product of linear.wgsl for up to a few dozen rows of rounded inputs, with the sum over k split among K_SPLIT lanes of a
// workgroup and added up in a tree; each weight tile that a lane reads serves eight rows. For hardware GPUs.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// A workgroup of 4 × K_SPLIT lanes (at most 128; K_SPLIT a power of two from 8 to 32) makes 16 outputs of eight rows; the grid
// is (groups of four output tiles, groups of eight rows). A lane rounds vector k4 of two rows in workgroup memory, where it
// finds the magnitudes of the neighbours that share its step; the next ones are on their way meanwhile.
//
// requires: input format, linear_eight_halves.wgsl, x

// [8, K_SPLIT]
const WORDS = 256u;

var<workgroup> bits: array<u32, WORDS>;
var<workgroup> words: array<u32, WORDS>;
var<workgroup> units: array<f32, WORDS>;

// A tile, and vectors of two rows.
struct Fetched {
  tile: StoredTile,
  near: vec4f,
  far: vec4f,
}

@compute @workgroup_size(LANES, K_SPLIT)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = workgroup.x * LANES + local.x;
  let w = first_tile(min(n4, N4 - 1u));
  let row = workgroup.y * 8u;
  let first = (row + 2u * local.x) * K4;
  let at = 2u * local.x * K_SPLIT + local.y;
  var sums: Eight;
  var next = fetch(w, first, local.y);
  for (var k4 = 0u; k4 < K4; k4 += K_SPLIT) {
    let own = next;
    bits[at] = largest_of(magnitudes(own.near));
    bits[at + K_SPLIT] = largest_of(magnitudes(own.far));
    workgroupBarrier();
    next = fetch(w, first, k4 + K_SPLIT + local.y);
    keep(at, own.near);
    keep(at + K_SPLIT, own.far);
    workgroupBarrier();
    sums.row0 += products(own.tile, local.y);
    sums.row1 += products(own.tile, K_SPLIT + local.y);
    sums.row2 += products(own.tile, 2u * K_SPLIT + local.y);
    sums.row3 += products(own.tile, 3u * K_SPLIT + local.y);
    sums.row4 += products(own.tile, 4u * K_SPLIT + local.y);
    sums.row5 += products(own.tile, 5u * K_SPLIT + local.y);
    sums.row6 += products(own.tile, 6u * K_SPLIT + local.y);
    sums.row7 += products(own.tile, 7u * K_SPLIT + local.y);
  }
  store_joined(&sums, row, n4, local.xy);
}

// The tile and the inputs of vector k4; zeros behind the last one.
fn fetch(w: u32, first: u32, k4: u32) -> Fetched {
  let there = min(k4, K4 - 1u);
  return Fetched(
    weight_fetch(w + there * TILE_GROUP),
    select(vec4f(), x_load(first + there), k4 < K4),
    select(vec4f(), x_load(first + there + K4), k4 < K4),
  );
}

// Rounds a vector by the magnitudes of its group, the first of which is at a multiple of GROUP4.
fn keep(at: u32, v: vec4f) {
  let i = at / GROUP4 * GROUP4;
  let near = vec4u(bits[i], bits[i + 1u], bits[i + 2u], bits[i + 3u]);
  let far = vec4u(bits[i + 4u], bits[i + 5u], bits[i + 6u], bits[i + 7u]);
  let magnitude = input_magnitude_of(largest_of(max(near, far)));
  words[at] = input_pack(v, magnitude);
  units[at] = input_unit(magnitude);
}

fn products(tile: StoredTile, i: u32) -> vec4f {
  return vec4f(input_dots(tile, words[i])) * units[i];
}
