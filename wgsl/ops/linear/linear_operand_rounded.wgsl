// The products of stored tiles with the inputs of one row, which every workgroup rounds in its memory.
//
// requires: input format, linear.wgsl, input
// provides: operand

override OPERAND_LANES: u32; // lanes of the workgroup
override OPERAND_GROUPS: u32; // groups of inputs that share a step

var<workgroup> words: array<u32, K4>;
var<workgroup> units: array<f32, OPERAND_GROUPS>;

// Rounded inputs, and what their whole numbers are multiplied by.
alias Operand = vec2u;

fn operand_begin(row: u32, lane: u32) {
  input_begin(row, lane);
  for (var nth = lane; nth < OPERAND_GROUPS; nth += OPERAND_LANES) {
    let k4 = nth * GROUP4;
    let group = Eight(
      input_or_zeros(row, k4),
      input_or_zeros(row, k4 + 1u),
      input_or_zeros(row, k4 + 2u),
      input_or_zeros(row, k4 + 3u),
      input_or_zeros(row, k4 + 4u),
      input_or_zeros(row, k4 + 5u),
      input_or_zeros(row, k4 + 6u),
      input_or_zeros(row, k4 + 7u),
    );
    let magnitude = input_magnitude(group);
    units[nth] = input_unit(magnitude);
    keep(k4, group.row0, magnitude);
    keep(k4 + 1u, group.row1, magnitude);
    keep(k4 + 2u, group.row2, magnitude);
    keep(k4 + 3u, group.row3, magnitude);
    keep(k4 + 4u, group.row4, magnitude);
    keep(k4 + 5u, group.row5, magnitude);
    keep(k4 + 6u, group.row6, magnitude);
    keep(k4 + 7u, group.row7, magnitude);
  }
  workgroupBarrier();
}

fn input_or_zeros(row: u32, k4: u32) -> vec4f {
  return select(vec4f(), input_load(row, min(k4, K4 - 1u)), k4 < K4);
}

fn keep(k4: u32, v: vec4f, magnitude: f32) {
  if (k4 < K4) {
    words[k4] = input_pack(v, magnitude);
  }
}

fn operand_load(row: u32, k4: u32) -> Operand {
  return vec2u(words[k4], bitcast<u32>(units[k4 / GROUP4]));
}

fn multiply(tile: StoredTile, operand: Operand) -> vec4f {
  return vec4f(input_dots(tile, operand.x)) * bitcast<f32>(operand.y);
}
