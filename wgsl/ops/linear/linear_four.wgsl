// Four neighbouring tiles of a type that has no scales within a sum: a part of a sum is as good as the sum itself.
//
// requires: linear_wide.wgsl, weight_tile.wgsl
// provides: four tiles

// The tiles at w and after it.
fn four_tiles(w: u32) -> Tiles {
  return Tiles(weight_tile(w), weight_tile(w + 1u), weight_tile(w + 2u), weight_tile(w + 3u));
}

// The same `step` vectors of inputs behind w, for a part of a sum: inputs from w on that share scales, if there are any.
fn part_tiles(w: u32, step: u32) -> Tiles {
  return four_tiles(w + step * TILE_GROUP);
}

// What a part begins with.
fn part_begin(sums: Sums) -> Sums {
  return sums;
}

// The sums with a part, of tiles from w on.
fn part_end(sums: Sums, part: Sums, w: u32) -> Sums {
  return part;
}
