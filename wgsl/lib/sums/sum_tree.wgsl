// The sum of what the lanes of a workgroup hold, for many lanes: half of them add what the other half holds, and so on.
//
// provides: lane sum

// Lanes of the workgroup, a power of two.
override LANES: u32;

var<workgroup> lane_values: array<f32, LANES>;

// All lanes' values added to `start`, in every lane. Lanes call it once in each round, all of them.
fn lane_sum(lane: u32, round: u32, start: f32, value: f32) -> f32 {
  lane_values[lane] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lane_values[lane] += lane_values[lane + half];
    }
  }
  return start + workgroupUniformLoad(&lane_values[0]);
}
