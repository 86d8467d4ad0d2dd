// Four neighbouring tiles in int4, which are two vectors and have two vectors of scales. What shares scales within a sum is
// added up in whole numbers, and scaled once.
//
// requires: weight_int4.wgsl, linear_wide.wgsl
// provides: four tiles

// The tiles at w and after it.
fn four_tiles(w: u32) -> Tiles {
  let tiles = part_tiles(w);
  let scales = four_scales(w);
  return Tiles(scaled(tiles.a, scales[0]), scaled(tiles.b, scales[1]), scaled(tiles.c, scales[2]), scaled(tiles.d, scales[3]));
}

// The same for a part of a sum, whose inputs share scales.
fn part_tiles(w: u32) -> Tiles {
  let near = pair_load(w);
  let far = pair_load(w + 2u);
  return Tiles(whole_numbers(near.xy), whole_numbers(near.zw), whole_numbers(far.xy), whole_numbers(far.zw));
}

fn four_scales(w: u32) -> mat4x4f {
  let vector = scales_place(w) / 2u;
  let near = weight_load(vector, 0u);
  let far = weight_load(vector + 1u, 0u);
  return mat4x4f(scales_of(near.xy), scales_of(near.zw), scales_of(far.xy), scales_of(far.zw));
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
