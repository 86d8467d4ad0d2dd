// The inputs of eight rows, or of steps of one row: each lane loads those of one, and subgroups hand them to all of their
// lanes, of which there are eight or more.
//
// requires: linear_wide.wgsl, x
// provides: eight rows

// Which of the rows or steps a lane loads.
fn eight_begin() -> u32 {
  return subgroupExclusiveAdd(1u) % 8u;
}

// Vector i, and those of the seven rows below it.
fn eight_rows(i: u32, lane: u32) -> Eight {
  let own = x_load(i + lane * K4);
  return Eight(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, 3u),
    subgroupBroadcast(own, 4u),
    subgroupBroadcast(own, 5u),
    subgroupBroadcast(own, 6u),
    subgroupBroadcast(own, 7u),
  );
}

// Vector i, and the three behind it, of which those that no lane loads are others.
fn four_steps(i: u32, lane: u32) -> mat4x4f {
  let own = x_load(i + lane);
  return mat4x4f(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, 3u),
  );
}
