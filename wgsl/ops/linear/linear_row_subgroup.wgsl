// The product of linear.wgsl for one row or very few, with the sum over k split among the lanes of a subgroup and added
// up by a subgroup operation: nothing but a count goes through workgroup memory. For hardware GPUs that have subgroups.
//
// Where TILE_GROUP is 1, the tiles of one n4 lie behind one another, so that lanes read neighbouring addresses.
// A workgroup of LANES × K_SPLIT lanes (at most 256) makes 4 * LANES outputs of one row; the grid is (output tiles,
// rows). Its subgroups share the output tiles out among themselves, whatever their number, their size, and the lanes
// that they hold: WGSL promises none of these.
//
// requires: linear_split.wgsl

override K_SPLIT: u32;

var<workgroup> subgroups: atomic<u32>;

@compute @workgroup_size(LANES, K_SPLIT)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let lane = subgroupExclusiveAdd(1u);
  let lanes = subgroupAdd(1u);
  var own = 0u;
  if (lane == 0u) {
    own = atomicAdd(&subgroups, 1u);
  }
  own = subgroupBroadcastFirst(own);
  workgroupBarrier();
  let count = atomicLoad(&subgroups);

  let first = workgroup.x * LANES;
  let end = min(first + LANES, N4);
  let row = workgroup.y;
  operand_begin(row, index);
  for (var n4 = first + own; n4 < end; n4 += count) {
    var sum = vec4f();
    let w = first_tile(n4);
    for (var k4 = lane; k4 < K4; k4 += AT_ONCE * lanes) {
      sum += products(fetch_tiles(w, k4, lanes), row, k4, lanes);
    }
    let all = subgroupAdd(sum);
    if (lane == 0u) {
      store(row, n4, all);
    }
  }
  result_end(row, workgroup.x, index);
}
