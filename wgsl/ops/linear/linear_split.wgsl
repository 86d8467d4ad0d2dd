// What the kernels share in which lanes split the sum over k: several tiles at once, so that their loads are under way
// together. They are written out, since compilers don't unroll loops that naga bounds with a counter of its own.
//
// requires: linear.wgsl, operand

// Tiles that a lane reads at once: 3, 6 or 12.
override AT_ONCE: u32;

// Tiles that are read at once, of which the first AT_ONCE count.
struct Tiles {
  a: StoredTile,
  b: StoredTile,
  c: StoredTile,
  d: StoredTile,
  e: StoredTile,
  f: StoredTile,
  g: StoredTile,
  h: StoredTile,
  i: StoredTile,
  j: StoredTile,
  k: StoredTile,
  l: StoredTile,
}

fn fetch_tile(w: u32, k4: u32) -> StoredTile {
  return weight_fetch(w + min(k4, K4 - 1u) * TILE_GROUP);
}

// The tiles from k4 on, `step` apart, of those from w on.
fn fetch_tiles(w: u32, k4: u32, step: u32) -> Tiles {
  var tiles: Tiles;
  tiles.a = fetch_tile(w, k4);
  tiles.b = fetch_tile(w, k4 + step);
  tiles.c = fetch_tile(w, k4 + 2u * step);
  if (AT_ONCE >= 6u) {
    tiles.d = fetch_tile(w, k4 + 3u * step);
    tiles.e = fetch_tile(w, k4 + 4u * step);
    tiles.f = fetch_tile(w, k4 + 5u * step);
  }
  if (AT_ONCE >= 12u) {
    tiles.g = fetch_tile(w, k4 + 6u * step);
    tiles.h = fetch_tile(w, k4 + 7u * step);
    tiles.i = fetch_tile(w, k4 + 8u * step);
    tiles.j = fetch_tile(w, k4 + 9u * step);
    tiles.k = fetch_tile(w, k4 + 10u * step);
    tiles.l = fetch_tile(w, k4 + 11u * step);
  }
  return tiles;
}

// Inputs of a row: zeros behind the last tile.
fn fetch_input(row: u32, k4: u32) -> Operand {
  return select(Operand(), operand_load(row, min(k4, K4 - 1u)), k4 < K4);
}

// What those tiles add to the sums of a row.
fn products(tiles: Tiles, row: u32, k4: u32, step: u32) -> vec4f {
  let a = fetch_input(row, k4);
  let b = fetch_input(row, k4 + step);
  let c = fetch_input(row, k4 + 2u * step);
  if (AT_ONCE == 3u) {
    return multiply(tiles.a, a) + multiply(tiles.b, b) + multiply(tiles.c, c);
  }
  let d = fetch_input(row, k4 + 3u * step);
  let e = fetch_input(row, k4 + 4u * step);
  let f = fetch_input(row, k4 + 5u * step);
  var sum = multiply(tiles.a, a) + multiply(tiles.b, b) + multiply(tiles.c, c) +
    multiply(tiles.d, d) + multiply(tiles.e, e) + multiply(tiles.f, f);
  if (AT_ONCE == 6u) {
    return sum;
  }
  let g = fetch_input(row, k4 + 6u * step);
  let h = fetch_input(row, k4 + 7u * step);
  let i = fetch_input(row, k4 + 8u * step);
  let j = fetch_input(row, k4 + 9u * step);
  let k = fetch_input(row, k4 + 10u * step);
  let l = fetch_input(row, k4 + 11u * step);
  sum += multiply(tiles.g, g) + multiply(tiles.h, h) + multiply(tiles.i, i);
  return sum + multiply(tiles.j, j) + multiply(tiles.k, k) + multiply(tiles.l, l);
}
