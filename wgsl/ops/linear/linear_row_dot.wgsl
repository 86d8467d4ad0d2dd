// The product of linear.wgsl for one row or very few, of rounded inputs, for CPU-like adapters: whole numbers are added up as
// far as inputs share a step.
//
// Bytes: those of the weights, per row; 2 K N operations.
// A lane makes 16 outputs of one row. The grid is (groups of LANES * 4 output tiles, rows).
//
// requires: linear_wide.wgsl, linear_operand_rounded.wgsl

// 16 outputs in whole numbers.
struct Dots {
  a: vec4i,
  b: vec4i,
  c: vec4i,
  d: vec4i,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y;
  operand_begin(row, lane);
  let n4 = (workgroup.x * LANES + lane) * 4u;
  if (n4 >= N4) {
    return;
  }
  var sums: Sums;
  var w = first_tile(n4);
  for (var nth = 0u; nth < OPERAND_GROUPS; nth++) {
    var dots = Dots(); // written out: naga 29 zeroes what a loop declares once
    let end = min((nth + 1u) * GROUP4, K4);
    for (var k4 = nth * GROUP4; k4 < end; k4++) {
      let word = words[k4];
      dots.a += input_dots(weight_fetch(w), word);
      dots.b += input_dots(weight_fetch(w + 1u), word);
      dots.c += input_dots(weight_fetch(w + 2u), word);
      dots.d += input_dots(weight_fetch(w + 3u), word);
      w += TILE_GROUP;
    }
    let unit = units[nth];
    sums.a += vec4f(dots.a) * unit;
    sums.b += vec4f(dots.b) * unit;
    sums.c += vec4f(dots.c) * unit;
    sums.d += vec4f(dots.d) * unit;
  }
  store_four(row, n4, sums);
}
