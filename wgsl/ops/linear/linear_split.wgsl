// What the kernels share in which lanes split the sum over k: several tiles at once, so that their loads are under way
// together. They are written out, since compilers don't unroll loops that naga bounds with a counter of its own.
//
// requires: linear.wgsl

// Tiles that a lane reads at once: 3, 6 or 12.
override AT_ONCE: u32;

// What tile k4 adds to the sum over the tiles from w on; nothing behind the last one.
fn part(w: u32, row: u32, k4: u32) -> vec4f {
  let at = min(k4, K4 - 1u);
  let v = x_load(row + at);
  return weight_tile(w + at * TILE_GROUP) * select(vec4f(), v, k4 < K4);
}

fn three_parts(w: u32, row: u32, k4: u32, step: u32) -> vec4f {
  return part(w, row, k4) + part(w, row, k4 + step) + part(w, row, k4 + 2u * step);
}

// What AT_ONCE tiles from k4 on add, `step` apart.
fn parts(w: u32, row: u32, k4: u32, step: u32) -> vec4f {
  var sum = three_parts(w, row, k4, step);
  if (AT_ONCE > 3u) {
    sum += three_parts(w, row, k4 + 3u * step, step);
  }
  if (AT_ONCE > 6u) {
    sum += three_parts(w, row, k4 + 6u * step, step);
    sum += three_parts(w, row, k4 + 9u * step, step);
  }
  return sum;
}
