// x[r] = wte[token(r)] + wpe[position(r)]
//
//   tokens   [n_sequences, N_CTX]       every sequence's ids, prompt and generated
//   weight   wte, packed as linear.wgsl describes, the vocabulary as outputs and E as inputs; this shard holds the
//            vocabulary from FIRST_TOKEN to FIRST_TOKEN + N_TOKENS - 1
//   wpe      [N_CTX, K4]
//   x        [n_rows, K4]
//
// A lane writes four elements of one row. Where the vocabulary is split into shards, each shard's dispatch
// writes the rows whose token it holds.
//
// requires: step.wgsl, weight_shape.wgsl, weight_tile.wgsl

override N_CTX: u32;
override FIRST_TOKEN: u32;
override N_TOKENS: u32;
override LANES: u32;

@group(1) @binding(0) var<storage, read> tokens: array<u32>;
@group(1) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(1) @binding(3) var<storage, read> wpe: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / K4;
  let e4 = id.x % K4;
  if (row >= counts.n_rows) {
    return;
  }
  let position = rows[row].position;
  let token = tokens[rows[row].sequence * N_CTX + position] - FIRST_TOKEN;
  if (token >= N_TOKENS) {
    return;
  }
  let n4 = token / 4u;
  let tile = weight_tile(first_tile(n4) + e4 * TILE_GROUP);
  let n = token % 4u;
  let value = vec4f(tile[0][n], tile[1][n], tile[2][n], tile[3][n]) * weight_scale(n4)[n];
  x[row * K4 + e4] = value + wpe[position * K4 + e4];
}
