// The inputs of eight rows: each lane loads all of them.
//
// requires: linear_wide.wgsl, rows input
// provides: eight rows

// What a lane needs to know of itself, before the first rows.
fn eight_begin() -> u32 {
  return 0u;
}

// Vector i, and those of the seven rows below it; `index` is the lane's in its workgroup.
fn eight_rows(i: u32, lane: u32, index: u32) -> Eight {
  rows_begin(i, index);
  return Eight(
    rows_load(i),
    rows_load(i + K4),
    rows_load(i + 2u * K4),
    rows_load(i + 3u * K4),
    rows_load(i + 4u * K4),
    rows_load(i + 5u * K4),
    rows_load(i + 6u * K4),
    rows_load(i + 7u * K4),
  );
}
