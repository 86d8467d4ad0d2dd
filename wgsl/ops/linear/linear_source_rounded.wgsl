// The inputs of eight rows, rounded and taken as floats again: a CPU multiplies those faster than whole numbers. Where a
// group of inputs begins, the lanes of a workgroup round it in its memory, a row each.
//
// requires: linear.wgsl, x, input format
// provides: rows input

// [2, GROUP4, 8]: of eight rows and the next eight.
var<workgroup> rounded: array<vec4f, 128>;

fn rows_begin(i: u32, lane: u32) {
  if (i % K4 % GROUP4 > 0u) {
    return;
  }
  workgroupBarrier();
  for (var row = lane; row < 8u; row += LANES) {
    round_row(i % K4, i + row * K4);
  }
  workgroupBarrier();
}

// Where vector i is kept.
fn rounded_place(i: u32) -> u32 {
  let row = i / K4 % 16u;
  return (row / 8u * GROUP4 + i % K4 % GROUP4) * 8u + row % 8u;
}

// The group of a row that begins with vector i, which is its k4.
fn round_row(k4: u32, i: u32) {
  let group = Eight(
    vector_or_zeros(k4, i),
    vector_or_zeros(k4 + 1u, i + 1u),
    vector_or_zeros(k4 + 2u, i + 2u),
    vector_or_zeros(k4 + 3u, i + 3u),
    vector_or_zeros(k4 + 4u, i + 4u),
    vector_or_zeros(k4 + 5u, i + 5u),
    vector_or_zeros(k4 + 6u, i + 6u),
    vector_or_zeros(k4 + 7u, i + 7u),
  );
  let magnitude = input_magnitude(group);
  let step = magnitude / INPUT_STEPS;
  let at = rounded_place(i);
  rounded[at] = step * input_round(group.row0, magnitude);
  rounded[at + 8u] = step * input_round(group.row1, magnitude);
  rounded[at + 16u] = step * input_round(group.row2, magnitude);
  rounded[at + 24u] = step * input_round(group.row3, magnitude);
  rounded[at + 32u] = step * input_round(group.row4, magnitude);
  rounded[at + 40u] = step * input_round(group.row5, magnitude);
  rounded[at + 48u] = step * input_round(group.row6, magnitude);
  rounded[at + 56u] = step * input_round(group.row7, magnitude);
}

fn vector_or_zeros(k4: u32, i: u32) -> vec4f {
  return select(vec4f(), x_load(i), k4 < K4);
}

fn rows_load(i: u32) -> vec4f {
  return rounded[rounded_place(i)];
}
