// The shape of a packed weight matrix: see linear.wgsl for the order of its tiles.

override K4: u32; // input width in tiles
override TILE_GROUP: u32; // output tiles that lie together
