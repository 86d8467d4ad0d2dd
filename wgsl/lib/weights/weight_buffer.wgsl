// A packed weight matrix, or a part of one, in a buffer.
//
//   weight  [vectors of 16 bytes]
//
// provides: weight storage

@group(1) @binding(2) var<storage, read> weight: array<vec4u>;

fn weight_load(i: u32) -> vec4u {
  return weight[i];
}
