// The product of linear.wgsl for one row or very few, with the sum over k split among K_SPLIT lanes of a workgroup
// and added up in workgroup memory. For hardware GPUs, which need more lanes in flight than one row has output tiles.
//
// A workgroup of LANES × K_SPLIT lanes (at most 256) makes 4 * LANES outputs of one row; the grid is (output tiles,
// rows).
//
// requires: linear.wgsl

override K_SPLIT: u32;

var<workgroup> parts: array<vec4f, LANES * K_SPLIT>;

@compute @workgroup_size(LANES, K_SPLIT)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let n4 = workgroup.x * LANES + local.x;
  var sum = vec4f();
  if (n4 < N4) {
    let row = workgroup.y * K4;
    for (var k4 = local.y; k4 < K4; k4 += K_SPLIT) {
      sum += weight_tile(first_tile(n4) + k4 * TILE_GROUP) * x_load(row + k4);
    }
  }
  parts[local.y * LANES + local.x] = sum;
  workgroupBarrier();
  if (local.y != 0u || n4 >= N4) {
    return;
  }
  for (var i = 1u; i < K_SPLIT; i++) {
    sum += parts[i * LANES + local.x];
  }
  store(workgroup.y, n4, sum);
}
