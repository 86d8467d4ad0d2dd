// The shape of a packed weight matrix: see linear.wgsl for the order of its tiles.

override K4: u32; // input width in tiles
override STORED_K4: u32; // the same with what is padded: a storage type may pack several tiles of inputs together
override TILE_GROUP: u32; // output tiles that lie together

// Where tile (n4, 0) lies; tile (n4, k4) is k4 * TILE_GROUP further.
fn first_tile(n4: u32) -> u32 {
  return n4 / TILE_GROUP * TILE_GROUP * STORED_K4 + n4 % TILE_GROUP;
}
