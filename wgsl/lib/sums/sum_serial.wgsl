// The sum of what the lanes of a workgroup hold, for few lanes: each of them adds up all.
//
// provides: lane sum

// Lanes of the workgroup.
override LANES: u32;

// Of each lane one value by round, of which a kernel has two.
var<workgroup> lane_values: array<vec2f, LANES>;

// All lanes' values added to `start`, in every lane. Lanes call it once in each round, all of them.
fn lane_sum(lane: u32, round: u32, start: f32, value: f32) -> f32 {
  lane_values[lane][round] = value;
  workgroupBarrier();
  var sum = start;
  for (var i = 0u; i < LANES; i++) {
    sum += lane_values[i][round];
  }
  return sum;
}
