// The input of a product of one row: what another kernel has made.
//
// requires: linear.wgsl, x
// provides: input

// Called once by all lanes of a workgroup, before the first input of its row is loaded.
fn input_begin(row: u32, lane: u32) {
}

fn input_load(row: u32, k4: u32) -> vec4f {
  return x_load(row * K4 + k4);
}
