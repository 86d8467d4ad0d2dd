// What the kernels share in which a lane makes four neighbouring output tiles, so that each element of x that it reads
// serves four of them: CPU-like adapters pay for loads. TILE_GROUP is 4.
//
// Joined after linear.wgsl, before one of the linear_….wgsl files.

struct Tiles {
  a: mat4x4f,
  b: mat4x4f,
  c: mat4x4f,
  d: mat4x4f,
}

// 16 outputs of one row.
struct Sums {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

// The tiles at w and after it.
fn four_tiles(w: u32) -> Tiles {
  return Tiles(weight_tile(w), weight_tile(w + 1u), weight_tile(w + 2u), weight_tile(w + 3u));
}

fn add(sums: ptr<function, Sums>, tiles: Tiles, v: vec4f) {
  (*sums).a += tiles.a * v;
  (*sums).b += tiles.b * v;
  (*sums).c += tiles.c * v;
  (*sums).d += tiles.d * v;
}

// Stores those of the four tiles from n4 on that there are.
fn store_four(row: u32, n4: u32, sums: Sums) {
  store(row, n4, sums.a);
  if (n4 + 1u < N4) {
    store(row, n4 + 1u, sums.b);
  }
  if (n4 + 2u < N4) {
    store(row, n4 + 2u, sums.c);
  }
  if (n4 + 3u < N4) {
    store(row, n4 + 3u, sums.d);
  }
}
