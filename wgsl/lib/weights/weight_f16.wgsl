// A packed weight matrix as stored: in float16, two to a word, which needs no shader-f16. See linear.wgsl for the
// order of the tiles.
//
//   weight  [tiles]: 32 bytes each; words 2j and 2j + 1 hold outputs 0, 1 and 2, 3 of input j
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 2u;

// Tile i; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  let near = weight_load(i, 0u); // inputs 0 and 1
  let far = weight_load(i, 1u); // inputs 2 and 3
  return mat4x4f(
    vec4f(unpack2x16float(near.x), unpack2x16float(near.y)),
    vec4f(unpack2x16float(near.z), unpack2x16float(near.w)),
    vec4f(unpack2x16float(far.x), unpack2x16float(far.y)),
    vec4f(unpack2x16float(far.z), unpack2x16float(far.w)),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
