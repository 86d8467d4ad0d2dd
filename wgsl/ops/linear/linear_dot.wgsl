// What the kernels share in which a lane makes four neighbouring output tiles of rounded inputs, for CPU-like adapters whose
// subgroups have eight lanes or more. TILE_GROUP is 4.
//
// A lane adds up whole numbers as far as inputs share a step. Weights are taken as q + 128: compilers see that one factor
// has no sign and both have few bits, and multiply them as numbers of 16 bits, in one instruction with the addition where a
// CPU has one (dot4I8Packed() is many instructions there). For that, sums begin with what 128 times the inputs are too much.
//
// requires: input format, linear_wide.wgsl, linear_group.wgsl

const WEIGHT_OFFSET = 128;
const ROUNDER = 12582912.0; // 1.5 * 2^23: a sum with it has the nearest whole number in its lowest byte

// 16 outputs in whole numbers.
struct Dots {
  a: vec4i,
  b: vec4i,
  c: vec4i,
  d: vec4i,
}

// Sums of products with inputs that add up to `inputs`, before the first product.
fn dots_before(inputs: i32) -> Dots {
  let surplus = vec4i(-WEIGHT_OFFSET * inputs);
  return Dots(surplus, surplus, surplus, surplus);
}

// Inputs in steps, as input_round() has them: in fewer instructions, since none are out of range but those that are not
// finite, and these have a unit that is not finite. By its shifts compilers see that a step has few bits.
fn input_steps(v: vec4f, magnitude: f32) -> vec4i {
  return (bitcast<vec4i>(v * (INPUT_STEPS / magnitude) + ROUNDER) << vec4u(24u)) >> vec4u(24u);
}

fn sum_of(v: vec4i) -> i32 {
  return v.x + v.y + v.z + v.w;
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

// The inputs in a word.
fn input_spread(word: u32) -> vec4i {
  return (vec4i(bitcast<i32>(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
}

fn add_products(dots: ptr<function, Dots>, tiles: WholeTiles, x: vec4i) {
  (*dots).a += dot_of(tiles.a, x);
  (*dots).b += dot_of(tiles.b, x);
  (*dots).c += dot_of(tiles.c, x);
  (*dots).d += dot_of(tiles.d, x);
}

fn add_dots(sums: ptr<function, Sums>, dots: Dots, unit: f32) {
  (*sums).a += vec4f(dots.a) * unit;
  (*sums).b += vec4f(dots.b) * unit;
  (*sums).c += vec4f(dots.c) * unit;
  (*sums).d += vec4f(dots.d) * unit;
}
