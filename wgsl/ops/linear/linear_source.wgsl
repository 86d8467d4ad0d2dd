// The inputs of eight rows as they are.
//
// requires: x
// provides: rows input

// Called by all lanes of a workgroup before the vectors from i on, in eight rows, are loaded, for one after another.
fn rows_begin(i: u32, lane: u32) {
}

fn rows_load(i: u32) -> vec4f {
  return x_load(i);
}
