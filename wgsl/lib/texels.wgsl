// A texture as an array of vectors: they fill it row by row. A CPU-like adapter reads a vector from a buffer as four
// words, lane by lane, each behind a test of its own; as a texel it reads the vector at once.

const TEXELS_PER_ROW = 2048u;

fn texel(i: u32) -> vec2u {
  return vec2u(i % TEXELS_PER_ROW, i / TEXELS_PER_ROW);
}
