// What the kernels share in which a lane makes four neighbouring output tiles of rounded inputs, for CPU-like adapters whose
// subgroups have eight lanes or more. TILE_GROUP is 4.
//
// A lane adds up whole numbers as far as inputs share a step. Weights are taken as q + 128: compilers see that one factor
// has no sign and both have few bits, and multiply them as numbers of 16 bits, which takes a CPU half as long as 32 (and
// dot4I8Packed(), which is many instructions there). For that, 128 times the inputs are taken away in the end.
//
// requires: input format, linear_wide.wgsl, linear_group.wgsl

const WEIGHT_OFFSET = 128;

// 16 outputs in whole numbers.
struct Dots {
  a: vec4i,
  b: vec4i,
  c: vec4i,
  d: vec4i,
  inputs: vec4i, // their own sums
}

// A tile in whole numbers from 0 to 255: four outputs of each input.
struct WholeTile {
  x: vec4i,
  y: vec4i,
  z: vec4i,
  w: vec4i,
}

// Four neighbouring tiles.
struct WholeTiles {
  a: WholeTile,
  b: WholeTile,
  c: WholeTile,
  d: WholeTile,
}

fn whole_tile(i: u32) -> WholeTile {
  let words = bitcast<vec4u>(weight_fetch(i).words) ^ vec4u(0x80808080u);
  return WholeTile(
    vec4i(words & vec4u(255u)),
    vec4i((words >> vec4u(8u)) & vec4u(255u)),
    vec4i((words >> vec4u(16u)) & vec4u(255u)),
    vec4i(words >> vec4u(24u)),
  );
}

fn whole_tiles(i: u32) -> WholeTiles {
  return WholeTiles(whole_tile(i), whole_tile(i + 1u), whole_tile(i + 2u), whole_tile(i + 3u));
}

fn dot_of(tile: WholeTile, x: vec4i) -> vec4i {
  return tile.x * x.x + tile.y * x.y + tile.z * x.z + tile.w * x.w;
}

// Adds the products with the inputs in a word.
fn add_products(dots: ptr<function, Dots>, tiles: WholeTiles, word: u32) {
  let x = (vec4i(bitcast<i32>(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
  (*dots).a += dot_of(tiles.a, x);
  (*dots).b += dot_of(tiles.b, x);
  (*dots).c += dot_of(tiles.c, x);
  (*dots).d += dot_of(tiles.d, x);
  (*dots).inputs += x;
}

fn add_dots(sums: ptr<function, Sums>, dots: Dots, unit: f32) {
  let inputs = dots.inputs.x + dots.inputs.y + dots.inputs.z + dots.inputs.w;
  let surplus = vec4i(WEIGHT_OFFSET * inputs);
  (*sums).a += vec4f(dots.a - surplus) * unit;
  (*sums).b += vec4f(dots.b - surplus) * unit;
  (*sums).c += vec4f(dots.c - surplus) * unit;
  (*sums).d += vec4f(dots.d - surplus) * unit;
}
