// The yardstick: a fixed piece of work whose time says how fast the machine is just then. It must stay as it is, since
// results that were measured with it are compared with each other.
//
// values: [workgroups * 64] vec4f, read and written. A lane streams one vector and does 16 multiply-adds on it.

@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = values[id.x];
  for (var i = 0u; i < 16u; i++) {
    x = x * 0.999 + vec4f(0.001);
  }
  values[id.x] = x;
}
