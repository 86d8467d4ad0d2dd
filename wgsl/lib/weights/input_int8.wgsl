// Inputs of products in int8, symmetric: x = q * step with q from -127 to 127, and a step for each 32 inputs of a row. Four
// of them are a word, as four weights of an output are: a processor with integer dot products multiplies them at once.
//
// requires: weight_int8.wgsl, linear.wgsl
// provides: input format

const GROUP4 = 8u; // vectors of a row that share a step
const INPUT_STEPS = 127.0; // from zero to the largest magnitude
const LEAST_MAGNITUDE = 0x0da24260u; // the bits of 1e-30, which zeros are said to have
const TILE_UNIT = 16777216.0; // what 1 is in the tiles of weight_int8.wgsl

// The largest magnitude of the vectors that share a step, as bits without the sign, which order as magnitudes do: max() of
// floats might drop NaN, which must stay.
fn input_magnitude(group: Eight) -> f32 {
  let near = max(max(magnitudes(group.row0), magnitudes(group.row1)), max(magnitudes(group.row2), magnitudes(group.row3)));
  let far = max(max(magnitudes(group.row4), magnitudes(group.row5)), max(magnitudes(group.row6), magnitudes(group.row7)));
  return input_magnitude_of(largest_of(max(near, far)));
}

fn input_magnitude_of(bits: u32) -> f32 {
  return bitcast<f32>(max(bits, LEAST_MAGNITUDE));
}

fn largest_of(v: vec4u) -> u32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn magnitudes(v: vec4f) -> vec4u {
  return bitcast<vec4u>(v) & vec4u(0x7fffffffu);
}

// The nearest steps.
fn input_round(v: vec4f, magnitude: f32) -> vec4f {
  return clamp(round(v * (INPUT_STEPS / magnitude)), vec4f(-INPUT_STEPS), vec4f(INPUT_STEPS));
}

fn input_pack(v: vec4f, magnitude: f32) -> u32 {
  return input_word(vec4i(input_round(v, magnitude)));
}

// By shifts: Dawn takes a minute to compile pack4xI8() for SwiftShader.
fn input_word(steps: vec4i) -> u32 {
  let bytes = bitcast<vec4u>(steps) & vec4u(255u);
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// The products of a tile with the inputs in a word, in whole numbers.
fn input_dots(tile: StoredTile, word: u32) -> vec4i {
  let words = bitcast<vec4u>(tile.words);
  return vec4i(
    dot4I8Packed(words.x, word),
    dot4I8Packed(words.y, word),
    dot4I8Packed(words.z, word),
    dot4I8Packed(words.w, word),
  );
}

// What whole numbers of inputs of that magnitude are multiplied by.
fn input_unit(magnitude: f32) -> f32 {
  return magnitude / INPUT_STEPS * TILE_UNIT;
}
