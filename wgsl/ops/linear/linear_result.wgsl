// Where finished outputs of a product go: to y.
//
// requires: linear.wgsl, y
// provides: result

fn result_store(row: u32, n4: u32, value: vec4f) {
  y_store(row * Y_STRIDE4 + Y_OFFSET4 + n4, value);
}

// Called by all lanes of a workgroup when its outputs of a row are stored, by products of one row.
fn result_end(row: u32, group: u32, lane: u32) {
}
