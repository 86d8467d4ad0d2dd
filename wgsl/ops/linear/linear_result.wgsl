// Where finished outputs of a product go: to y.
//
// requires: linear.wgsl, y
// provides: result

fn result_store(row: u32, n4: u32, value: vec4f) {
  y_store(row * Y_STRIDE4 + Y_OFFSET4 + n4, value);
}
