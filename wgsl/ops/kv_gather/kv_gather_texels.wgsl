// The units of kv_gather.wgsl in textures: texels, row by row.
//
// provides: gather units

@group(1) @binding(0) var from_units: texture_storage_2d<rgba32uint, read>;
@group(1) @binding(1) var to_units: texture_storage_2d<rgba32uint, write>;

fn gather_unit(from_unit: u32, to_unit: u32) {
  let width = textureDimensions(from_units).x;
  let value = textureLoad(from_units, vec2u(from_unit % width, from_unit / width));
  textureStore(to_units, vec2u(to_unit % width, to_unit / width), value);
}
