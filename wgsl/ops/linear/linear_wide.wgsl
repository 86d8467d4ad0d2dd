// What the kernels share in which a lane makes four neighbouring output tiles, so that each element of x that it reads
// serves four of them: CPU-like adapters pay for loads. TILE_GROUP is 4.
//
// requires: linear.wgsl

// Neighbouring tiles.
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

// sum + tile * v as a chain of multiply-adds, which an adapter may fuse.
fn multiply_add(tile: mat4x4f, v: vec4f, sum: vec4f) -> vec4f {
  return fma(tile[0], vec4f(v.x), fma(tile[1], vec4f(v.y), fma(tile[2], vec4f(v.z), fma(tile[3], vec4f(v.w), sum))));
}

fn add(sums: ptr<function, Sums>, tiles: Tiles, v: vec4f) {
  (*sums).a = multiply_add(tiles.a, v, (*sums).a);
  (*sums).b = multiply_add(tiles.b, v, (*sums).b);
  (*sums).c = multiply_add(tiles.c, v, (*sums).c);
  (*sums).d = multiply_add(tiles.d, v, (*sums).d);
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

// Stores one output tile of eight rows: what they share is read once, which also keeps the kernel short to compile.
fn store_eight(
  row: u32,
  n4: u32,
  sum0: vec4f,
  sum1: vec4f,
  sum2: vec4f,
  sum3: vec4f,
  sum4: vec4f,
  sum5: vec4f,
  sum6: vec4f,
  sum7: vec4f,
) {
  if (n4 >= N4) {
    return;
  }
  let finish = finish_of(n4);
  store_finished(row, n4, sum0, finish);
  store_finished(row + 1u, n4, sum1, finish);
  store_finished(row + 2u, n4, sum2, finish);
  store_finished(row + 3u, n4, sum3, finish);
  store_finished(row + 4u, n4, sum4, finish);
  store_finished(row + 5u, n4, sum5, finish);
  store_finished(row + 6u, n4, sum6, finish);
  store_finished(row + 7u, n4, sum7, finish);
}
