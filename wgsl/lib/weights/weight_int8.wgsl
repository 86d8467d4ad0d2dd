// A packed weight matrix as stored: in int8, w[k, n] = q[k, n] * scale[n] with q from -127 to 127 (symmetric, one
// scale per output channel). See linear.wgsl for the order of the tiles.
//
//   weight  [tiles]: 16 bytes each; byte j of word i holds input j of output i
//   scale   [N4]
//
// A tile holds 2^24 q: a byte at the top of a word is an integer that needs no sign extension.
//
// requires: weight storage
// provides: weight format

const TILE_VECTORS = 1u;
const TOP_BYTE = vec4i(-0x1000000);

@group(1) @binding(4) var<storage, read> scale: array<vec4f>;

// Tile i; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  let words = bitcast<vec4i>(weight_load(i, 0u));
  return mat4x4f(
    vec4f(words << vec4u(24u)),
    vec4f((words << vec4u(16u)) & TOP_BYTE),
    vec4f((words << vec4u(8u)) & TOP_BYTE),
    vec4f(words & TOP_BYTE),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return scale[n4] / 16777216.0;
}
