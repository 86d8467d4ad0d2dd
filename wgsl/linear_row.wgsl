// y[r, n] = act(sum_k x[r, k] * w[k, n] + bias[n]), or y[r, n] += … where RESIDUAL is true; act is the
// identity or GPT-2's GELU.
//
//   x       [n_rows, K4]
//   weight  packed: tile (n4, k4) is a mat4x4 whose column j holds w[4 k4 + j, 4 n4 … 4 n4 + 3], at index
//           n4 * TILE_STRIDE_N + k4 * TILE_STRIDE_K. With strides (K4, 1) a lane reads one private stretch
//           (good for CPU-like adapters), with (1, N4) neighbouring lanes read neighbouring tiles (good for GPUs).
//   bias    [N4]
//   y       [n_rows, Y_STRIDE4], written from column Y_OFFSET4 on
//
// Bytes: 4 K N of weights per row, 2 K N operations. For one row or very few.
// A lane makes four outputs of one row; the grid is (output tiles, rows).

override K4: u32;
override N4: u32;
override TILE_STRIDE_N: u32;
override TILE_STRIDE_K: u32;
override Y_STRIDE4: u32;
override Y_OFFSET4: u32;
override BIAS: bool;
override GELU: bool;
override RESIDUAL: bool;
override LANES: u32;

@group(1) @binding(0) var<storage, read> x: array<vec4f>;
@group(1) @binding(1) var<storage, read> weight: array<mat4x4f>;
@group(1) @binding(2) var<storage, read> bias: array<vec4f>;
@group(1) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x;
  if (n4 >= N4) {
    return;
  }
  var sum = vec4f();
  var w = n4 * TILE_STRIDE_N;
  let row = id.y * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    sum += weight[w] * x[row + k4];
    w += TILE_STRIDE_K;
  }
  store(id.y, n4, sum);
}
