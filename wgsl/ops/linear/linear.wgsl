// y[r, n] = act(sum_k x[r, k] * w[k, n] + bias[n]), or y[r, n] += … with y_added.wgsl; act is the identity or
// GPT-2's GELU. What every linear kernel shares: its bindings, and what it does with a finished sum.
//
//   x       [n_rows, K4]
//   weight  packed, see weight_f32.wgsl: column j of tile (n4, k4) holds w[4 k4 + j, 4 n4 … 4 n4 + 3]. Groups of TILE_GROUP
//           neighbouring n4 lie together, k4 by k4: [N4 / TILE_GROUP rounded up, STORED_K4, TILE_GROUP]. A lane that
//           makes a whole group reads one private stretch (good for CPU-like adapters); lanes that share a
//           group read neighbouring tiles (good for GPUs).
//   bias    [N4]
//   y       [n_rows, Y_STRIDE4], written from column Y_OFFSET4 on
//
// GELU is GPT-2's tanh form, 0.5 v (1 + tanh(u)) with u = sqrt(2 / pi) (v + 0.044715 v³), written as
// v / (1 + exp(-2u)), which is the same and can't overflow into NaN (Hendrycks and Gimpel 2016, arXiv 1606.08415).
//
// requires: weight_shape.wgsl, weight_tile.wgsl, x, result

override N4: u32;
override Y_STRIDE4: u32;
override Y_OFFSET4: u32;
override BIAS: bool;
override GELU: bool;
override LANES: u32;

@group(1) @binding(3) var<storage, read> bias: array<vec4f>;

// A vector of each of eight rows.
struct Eight {
  row0: vec4f,
  row1: vec4f,
  row2: vec4f,
  row3: vec4f,
  row4: vec4f,
  row5: vec4f,
  row6: vec4f,
  row7: vec4f,
}

// What finished sums of output tile n4 are multiplied by, and what is added.
struct Finish {
  scale: vec4f,
  bias: vec4f,
}

fn finish_of(n4: u32) -> Finish {
  var finish = Finish(weight_scale(n4), vec4f());
  if (BIAS) {
    finish.bias = bias[n4];
  }
  return finish;
}

fn store_finished(row: u32, n4: u32, sum: vec4f, finish: Finish) {
  var value = sum * finish.scale;
  if (BIAS) {
    value += finish.bias;
  }
  if (GELU) {
    let twice_u = 1.5957691216057308 * (value + 0.044715 * value * value * value);
    value = value / (1.0 + exp(-twice_u));
  }
  result_store(row, n4, value);
}

fn store(row: u32, n4: u32, sum: vec4f) {
  store_finished(row, n4, sum, finish_of(n4));
}
