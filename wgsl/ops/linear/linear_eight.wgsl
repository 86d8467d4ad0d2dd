// The inputs of eight rows, or of steps of one row: each lane loads all of them.
//
// requires: linear_wide.wgsl, x
// provides: eight rows

// What a lane needs to know of itself, before the first inputs.
fn eight_begin() -> u32 {
  return 0u;
}

// Vector i, and those of the seven rows below it.
fn eight_rows(i: u32, lane: u32) -> Eight {
  return Eight(
    x_load(i),
    x_load(i + K4),
    x_load(i + 2u * K4),
    x_load(i + 3u * K4),
    x_load(i + 4u * K4),
    x_load(i + 5u * K4),
    x_load(i + 6u * K4),
    x_load(i + 7u * K4),
  );
}

// Vector i, and the three behind it.
fn four_steps(i: u32, lane: u32) -> mat4x4f {
  return mat4x4f(x_load(i), x_load(i + 1u), x_load(i + 2u), x_load(i + 3u));
}
