// What every linear kernel does with a finished sum: bias, GELU, residual, in this order.
//
// GELU is GPT-2's tanh form, 0.5 v (1 + tanh(u)) with u = sqrt(2 / pi) (v + 0.044715 v³), written as
// v / (1 + exp(-2u)), which is the same and can't overflow into NaN (Hendrycks and Gimpel 2016, arXiv 1606.08415).
// Joined after linear_row.wgsl, linear_row_split.wgsl or linear_rows.wgsl.

fn store(row: u32, n4: u32, sum: vec4f) {
  var value = sum;
  if (BIAS) {
    value += bias[n4];
  }
  if (GELU) {
    let twice_u = 1.5957691216057308 * (value + 0.044715 * value * value * value);
    value = value / (1.0 + exp(-twice_u));
  }
  let i = row * Y_STRIDE4 + Y_OFFSET4 + n4;
  if (RESIDUAL) {
    value += y[i];
  }
  y[i] = value;
}
