// sums[i] = sum over the tiles t that lane i reads of data[t] * (1, 1, 1, 1): how fast an adapter streams from memory
//
//   data  [lanes * TILES] tiles of 64 bytes
//   sums  [lanes]
//
// Lane i reads data[i * LANE_STEP + t * TILE_STEP] for t < TILES: a private stretch with LANE_STEP = TILES and
// TILE_STEP = 1 (good for CPU-like adapters), neighbours of its neighbours' tiles with LANE_STEP = 1 and
// TILE_STEP = lanes (good for GPUs). Its inner loop is that of a GEMV without what else is read there.
// Bytes: 64 TILES a lane. A workgroup is LANES lanes; the grid is (lanes / LANES).
//
// requires: streamed

override TILES: u32;
override LANE_STEP: u32;
override TILE_STEP: u32;
override LANES: u32;

@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  var i = id.x * LANE_STEP;
  for (var t = 0u; t < TILES; t++) {
    sum += data_tile(i) * vec4f(1.0);
    i += TILE_STEP;
  }
  sums[id.x] = sum;
}
