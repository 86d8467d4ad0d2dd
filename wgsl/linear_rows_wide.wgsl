// The product of linear.wgsl for many rows, for CPU-like adapters: a lane keeps 16 outputs of eight rows, so that
// each weight tile serves eight rows and each element of x four tiles.
//
//   x  [n_rows rounded up to 8, K4]
//   y  [n_rows rounded up to 8, Y_STRIDE4]; the rows past n_rows are computed and ignored
//
// TILE_GROUP is 4. The grid is (groups of LANES * 4 output tiles, groups of eight rows).
// Joined after linear.wgsl.

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n4 = id.x * 4u;
  if (n4 >= N4) {
    return;
  }
  let row = id.y * 8u;
  var sum00 = vec4f();
  var sum01 = vec4f();
  var sum02 = vec4f();
  var sum03 = vec4f();
  var sum10 = vec4f();
  var sum11 = vec4f();
  var sum12 = vec4f();
  var sum13 = vec4f();
  var sum20 = vec4f();
  var sum21 = vec4f();
  var sum22 = vec4f();
  var sum23 = vec4f();
  var sum30 = vec4f();
  var sum31 = vec4f();
  var sum32 = vec4f();
  var sum33 = vec4f();
  var sum40 = vec4f();
  var sum41 = vec4f();
  var sum42 = vec4f();
  var sum43 = vec4f();
  var sum50 = vec4f();
  var sum51 = vec4f();
  var sum52 = vec4f();
  var sum53 = vec4f();
  var sum60 = vec4f();
  var sum61 = vec4f();
  var sum62 = vec4f();
  var sum63 = vec4f();
  var sum70 = vec4f();
  var sum71 = vec4f();
  var sum72 = vec4f();
  var sum73 = vec4f();
  var w = first_tile(n4);
  let first = row * K4;
  for (var k4 = 0u; k4 < K4; k4++) {
    let tile0 = weight_tile(w);
    let tile1 = weight_tile(w + 1u);
    let tile2 = weight_tile(w + 2u);
    let tile3 = weight_tile(w + 3u);
    w += TILE_GROUP;
    let v0 = x[first + k4];
    sum00 += tile0 * v0;
    sum01 += tile1 * v0;
    sum02 += tile2 * v0;
    sum03 += tile3 * v0;
    let v1 = x[first + k4 + K4];
    sum10 += tile0 * v1;
    sum11 += tile1 * v1;
    sum12 += tile2 * v1;
    sum13 += tile3 * v1;
    let v2 = x[first + k4 + 2u * K4];
    sum20 += tile0 * v2;
    sum21 += tile1 * v2;
    sum22 += tile2 * v2;
    sum23 += tile3 * v2;
    let v3 = x[first + k4 + 3u * K4];
    sum30 += tile0 * v3;
    sum31 += tile1 * v3;
    sum32 += tile2 * v3;
    sum33 += tile3 * v3;
    let v4 = x[first + k4 + 4u * K4];
    sum40 += tile0 * v4;
    sum41 += tile1 * v4;
    sum42 += tile2 * v4;
    sum43 += tile3 * v4;
    let v5 = x[first + k4 + 5u * K4];
    sum50 += tile0 * v5;
    sum51 += tile1 * v5;
    sum52 += tile2 * v5;
    sum53 += tile3 * v5;
    let v6 = x[first + k4 + 6u * K4];
    sum60 += tile0 * v6;
    sum61 += tile1 * v6;
    sum62 += tile2 * v6;
    sum63 += tile3 * v6;
    let v7 = x[first + k4 + 7u * K4];
    sum70 += tile0 * v7;
    sum71 += tile1 * v7;
    sum72 += tile2 * v7;
    sum73 += tile3 * v7;
  }
  store(row, n4, sum00);
  store(row + 1u, n4, sum10);
  store(row + 2u, n4, sum20);
  store(row + 3u, n4, sum30);
  store(row + 4u, n4, sum40);
  store(row + 5u, n4, sum50);
  store(row + 6u, n4, sum60);
  store(row + 7u, n4, sum70);
  if (n4 + 1u < N4) {
    store(row, n4 + 1u, sum01);
    store(row + 1u, n4 + 1u, sum11);
    store(row + 2u, n4 + 1u, sum21);
    store(row + 3u, n4 + 1u, sum31);
    store(row + 4u, n4 + 1u, sum41);
    store(row + 5u, n4 + 1u, sum51);
    store(row + 6u, n4 + 1u, sum61);
    store(row + 7u, n4 + 1u, sum71);
  }
  if (n4 + 2u < N4) {
    store(row, n4 + 2u, sum02);
    store(row + 1u, n4 + 2u, sum12);
    store(row + 2u, n4 + 2u, sum22);
    store(row + 3u, n4 + 2u, sum32);
    store(row + 4u, n4 + 2u, sum42);
    store(row + 5u, n4 + 2u, sum52);
    store(row + 6u, n4 + 2u, sum62);
    store(row + 7u, n4 + 2u, sum72);
  }
  if (n4 + 3u < N4) {
    store(row, n4 + 3u, sum03);
    store(row + 1u, n4 + 3u, sum13);
    store(row + 2u, n4 + 3u, sum23);
    store(row + 3u, n4 + 3u, sum33);
    store(row + 4u, n4 + 3u, sum43);
    store(row + 5u, n4 + 3u, sum53);
    store(row + 6u, n4 + 3u, sum63);
    store(row + 7u, n4 + 3u, sum73);
  }
}
