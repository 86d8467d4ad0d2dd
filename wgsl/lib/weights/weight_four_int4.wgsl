// Four neighbouring tiles in int4, which are two vectors and have two vectors of scales. What shares scales within a sum is
// added up in whole numbers, and scaled once.
//
// Whole numbers are 2^28 q: four bits at the top of a word are an integer that needs no sign extension.
//
// requires: weight_int4.wgsl, linear_wide.wgsl
// provides: four tiles

const TOP_BITS = vec4i(-0x10000000);
const TOP_UNIT = 1.0 / 268435456.0;

// The tiles at w and after it.
fn four_tiles(w: u32) -> Tiles {
  let tiles = part_tiles(w, 0u);
  let scales = four_scales(w);
  return Tiles(scaled(tiles.a, scales[0]), scaled(tiles.b, scales[1]), scaled(tiles.c, scales[2]), scaled(tiles.d, scales[3]));
}

fn scaled(tile: mat4x4f, scales: vec4f) -> mat4x4f {
  return mat4x4f(tile[0] * scales, tile[1] * scales, tile[2] * scales, tile[3] * scales);
}

// The same `step` vectors of inputs behind w, for a part of a sum: inputs from w on that share scales.
fn part_tiles(w: u32, step: u32) -> Tiles {
  let vector = tile_half(w) / 2u + 2u * step;
  let near = weight_load(vector, 0u);
  let far = weight_load(vector + 1u, 0u);
  return Tiles(whole_tile(near.xy), whole_tile(near.zw), whole_tile(far.xy), whole_tile(far.zw));
}

fn whole_tile(words: vec2u) -> mat4x4f {
  return mat4x4f(
    whole_outputs(words.x << 16u),
    whole_outputs(words.x),
    whole_outputs(words.y << 16u),
    whole_outputs(words.y),
  );
}

// Four outputs of the input in the upper half of a word.
fn whole_outputs(word: u32) -> vec4f {
  return vec4f((vec4i(bitcast<i32>(word)) << vec4u(12u, 8u, 4u, 0u)) & TOP_BITS);
}

fn four_scales(w: u32) -> mat4x4f {
  let vector = scales_half(w) / 2u;
  let near = weight_load(vector, 0u);
  let far = weight_load(vector + 1u, 0u);
  return mat4x4f(
    TOP_UNIT * scales_of(near.xy),
    TOP_UNIT * scales_of(near.zw),
    TOP_UNIT * scales_of(far.xy),
    TOP_UNIT * scales_of(far.zw),
  );
}

// What a part begins with.
fn part_begin(sums: Sums) -> Sums {
  return Sums();
}

// The sums with a part, of tiles from w on.
fn part_end(sums: Sums, part: Sums, w: u32) -> Sums {
  let scales = four_scales(w);
  return Sums(
    fma(part.a, scales[0], sums.a),
    fma(part.b, scales[1], sums.b),
    fma(part.c, scales[2], sums.c),
    fma(part.d, scales[3], sums.d),
  );
}
