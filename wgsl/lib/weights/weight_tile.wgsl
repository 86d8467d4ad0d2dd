// A tile of a packed weight matrix, whatever its storage type. Kernels that want several tiles on their way at once fetch
// all of them before they decode one.
//
// requires: weight format

// Tile i; its column j holds four outputs of input j.
fn weight_tile(i: u32) -> mat4x4f {
  return weight_decode(weight_fetch(i));
}
