// The units of kv_gather.wgsl in buffers: words, of values or of scales.
//
// provides: gather units

@group(1) @binding(0) var<storage, read> from_units: array<u32>;
@group(1) @binding(1) var<storage, read_write> to_units: array<u32>;

fn gather_unit(from_unit: u32, to_unit: u32) {
  to_units[to_unit] = from_units[from_unit];
}
