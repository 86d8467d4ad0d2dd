// A packed weight matrix as stored: in float32. See linear.wgsl for the order of the tiles.
//
//   weight  [tiles]: 64 bytes each
//
// Joined after weight_buffer.wgsl or weight_texels.wgsl and before linear.wgsl or embedding.wgsl, in the place of
// weight_f16.wgsl or weight_int8.wgsl.

// Tile i; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  return mat4x4f(
    bitcast<vec4f>(weight_load(4u * i)),
    bitcast<vec4f>(weight_load(4u * i + 1u)),
    bitcast<vec4f>(weight_load(4u * i + 2u)),
    bitcast<vec4f>(weight_load(4u * i + 3u)),
  );
}

// What a sum over tiles of output tile n4 is multiplied by.
fn weight_scale(n4: u32) -> vec4f {
  return vec4f(1.0);
}
