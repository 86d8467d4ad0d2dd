// The products of stored tiles with the inputs of one row, as they are.
//
// requires: linear.wgsl, input
// provides: operand

alias Operand = vec4f;

// Called once by all lanes of a workgroup, before the first operand of its row is loaded.
fn operand_begin(row: u32, lane: u32) {
  input_begin(row, lane);
}

fn operand_load(row: u32, k4: u32) -> Operand {
  return input_load(row, k4);
}

fn multiply(tile: StoredTile, operand: Operand) -> vec4f {
  return weight_decode(tile) * operand;
}
