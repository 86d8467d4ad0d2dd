// Reading inputs that are rounded together, GROUP4 vectors of four.
//
// requires: linear.wgsl, x

// Vector k4 of the row that begins with vector `first`; zeros behind the last one.
fn fetch_x(first: u32, k4: u32) -> vec4f {
  return select(vec4f(), x_load(first + min(k4, K4 - 1u)), k4 < K4);
}

// The inputs of a row from k4 on that share a step; zeros behind the last one.
fn fetch_group(first: u32, k4: u32) -> Eight {
  return Eight(
    fetch_x(first, k4),
    fetch_x(first, k4 + 1u),
    fetch_x(first, k4 + 2u),
    fetch_x(first, k4 + 3u),
    fetch_x(first, k4 + 4u),
    fetch_x(first, k4 + 5u),
    fetch_x(first, k4 + 6u),
    fetch_x(first, k4 + 7u),
  );
}
