// The product of linear.wgsl for one row or very few, with the sum over k split among K_SPLIT lanes of a workgroup
// and added up in a tree. For hardware GPUs, which need more lanes in flight than one row has output tiles.
//
// A workgroup of LANES × K_SPLIT lanes (at most 256; K_SPLIT a power of two) makes 4 * LANES outputs of one row; the
// grid is (groups of LANES output tiles, rows).
//
// requires: linear_split.wgsl

override K_SPLIT: u32;

var<workgroup> halves: array<vec4f, LANES * K_SPLIT / 2u>;

@compute @workgroup_size(LANES, K_SPLIT)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = workgroup.x * LANES + local.x;
  let w = first_tile(min(n4, N4 - 1u));
  let row = workgroup.y;
  var k4 = local.y;
  var tiles = fetch_tiles(w, k4, K_SPLIT); // on their way while the input is made
  operand_begin(row, local.y * LANES + local.x);
  var sum = vec4f();
  loop {
    sum += products(tiles, row, k4, K_SPLIT);
    k4 += AT_ONCE * K_SPLIT;
    if (k4 >= K4) {
      break;
    }
    tiles = fetch_tiles(w, k4, K_SPLIT);
  }
  for (var half = K_SPLIT / 2u; half > 0u; half /= 2u) {
    if (local.y >= half && local.y < 2u * half) {
      halves[(local.y - half) * LANES + local.x] = sum;
    }
    workgroupBarrier();
    if (local.y < half) {
      sum += halves[local.y * LANES + local.x];
    }
    workgroupBarrier();
  }
  if (local.y == 0u && n4 < N4) {
    store(row, n4, sum);
  }
  result_end(row, workgroup.x, local.y * LANES + local.x);
}
