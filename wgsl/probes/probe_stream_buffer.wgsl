// What probe_stream.wgsl reads, in a buffer.
//
//   data  [tiles]: 64 bytes each
//
// provides: streamed

@group(0) @binding(0) var<storage, read> data: array<mat4x4f>;

fn data_tile(i: u32) -> mat4x4f {
  return data[i];
}
