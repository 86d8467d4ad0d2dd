// What the kernels share in which lanes split the sum over k: several tiles at once, so that their loads are under way
// together. They are written out, since compilers don't unroll loops that naga bounds with a counter of its own.
//
// requires: linear.wgsl

// Tiles that a lane reads at once: 3, 6 or 12.
override AT_ONCE: u32;

// A tile, and the inputs that it is multiplied by: zeros behind the last tile.
struct Part {
  tile: StoredTile,
  v: vec4f,
}

fn fetch_part(w: u32, row: u32, k4: u32) -> Part {
  let at = min(k4, K4 - 1u);
  return Part(weight_fetch(w + at * TILE_GROUP), select(vec4f(), x_load(row + at), k4 < K4));
}

fn product(part: Part) -> vec4f {
  return weight_decode(part.tile) * part.v;
}

// What AT_ONCE tiles from k4 on, `step` apart, add to the sum over the tiles from w on.
fn parts(w: u32, row: u32, k4: u32, step: u32) -> vec4f {
  let a = fetch_part(w, row, k4);
  let b = fetch_part(w, row, k4 + step);
  let c = fetch_part(w, row, k4 + 2u * step);
  if (AT_ONCE == 3u) {
    return product(a) + product(b) + product(c);
  }
  let d = fetch_part(w, row, k4 + 3u * step);
  let e = fetch_part(w, row, k4 + 4u * step);
  let f = fetch_part(w, row, k4 + 5u * step);
  if (AT_ONCE == 6u) {
    return product(a) + product(b) + product(c) + product(d) + product(e) + product(f);
  }
  let g = fetch_part(w, row, k4 + 6u * step);
  let h = fetch_part(w, row, k4 + 7u * step);
  let i = fetch_part(w, row, k4 + 8u * step);
  let j = fetch_part(w, row, k4 + 9u * step);
  let k = fetch_part(w, row, k4 + 10u * step);
  let l = fetch_part(w, row, k4 + 11u * step);
  let near = product(a) + product(b) + product(c) + product(d) + product(e) + product(f);
  return near + product(g) + product(h) + product(i) + product(j) + product(k) + product(l);
}
