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
override PAIRED: bool; // a subgroup reads two output tiles at once, where it has so many

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

  let end = min(workgroup.x * LANES + LANES, N4);
  let row = workgroup.y;
  operand_begin(row, index);
  var n4 = workgroup.x * LANES + own;
  if (PAIRED) {
    for (; n4 + count < end; n4 += 2u * count) {
      var near_sum = vec4f();
      var far_sum = vec4f();
      let near_w = first_tile(n4);
      let far_w = first_tile(n4 + count);
      for (var k4 = lane; k4 < K4; k4 += AT_ONCE * lanes) {
        let near = fetch_tiles(near_w, k4, lanes);
        let far = fetch_tiles(far_w, k4, lanes);
        near_sum += products(near, row, k4, lanes);
        far_sum += products(far, row, k4, lanes);
      }
      finish_tile(row, n4, lane, near_sum);
      finish_tile(row, n4 + count, lane, far_sum);
    }
  }
  for (; n4 < end; n4 += count) {
    var sum = vec4f();
    let w = first_tile(n4);
    for (var k4 = lane; k4 < K4; k4 += AT_ONCE * lanes) {
      sum += products(fetch_tiles(w, k4, lanes), row, k4, lanes);
    }
    finish_tile(row, n4, lane, sum);
  }
  result_end(row, workgroup.x, index);
}

fn finish_tile(row: u32, n4: u32, lane: u32, sum: vec4f) {
  let all = subgroupAdd(sum);
  if (lane == 0u) {
    store(row, n4, all);
  }
}
