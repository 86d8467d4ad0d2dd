// What probe_stream.wgsl reads, in a texture.
//
//   data  [tiles]: 64 bytes each
//
// requires: texels.wgsl
// provides: streamed

@group(0) @binding(0) var data: texture_storage_2d<rgba32uint, read>;

fn data_tile(i: u32) -> mat4x4f {
  return mat4x4f(
    bitcast<vec4f>(textureLoad(data, texel(4u * i))),
    bitcast<vec4f>(textureLoad(data, texel(4u * i + 1u))),
    bitcast<vec4f>(textureLoad(data, texel(4u * i + 2u))),
    bitcast<vec4f>(textureLoad(data, texel(4u * i + 3u))),
  );
}
