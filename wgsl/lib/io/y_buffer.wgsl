// Where a kernel's result goes: into a buffer.
//
//   y  as the kernel's file says
//
// provides: y

@group(1) @binding(1) var<storage, read_write> y: array<vec4f>;

fn y_store(i: u32, value: vec4f) {
  y[i] = value;
}
