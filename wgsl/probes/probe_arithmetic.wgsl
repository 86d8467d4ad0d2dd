// y[i] = the sum of three vectors a, each of which began as start[j] + i and became a * factor + term STEPS times:
// how many multiply-adds an adapter does where nothing waits for memory
//
//   start  factor in start[3].x, term in start[3].y; a begins from start[0], start[1], start[2]
//   y      [lanes]
//
// 12 chains of a lane are independent of each other, so that a unit with a latency of several cycles stays busy,
// and few enough to stay in registers. STEPS is a multiple of 4.
// Operations: 12 STEPS multiply-adds a lane. A workgroup is LANES lanes; the grid is (lanes / LANES).

override STEPS: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> start: array<vec4f, 4>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = start[3].x;
  let term = vec4f(start[3].y);
  var a0 = start[0] + f32(id.x);
  var a1 = start[1] + f32(id.x);
  var a2 = start[2] + f32(id.x);
  for (var step = 0u; step < STEPS; step += 4u) {
    a0 = a0 * factor + term;
    a1 = a1 * factor + term;
    a2 = a2 * factor + term;
    a0 = a0 * factor + term;
    a1 = a1 * factor + term;
    a2 = a2 * factor + term;
    a0 = a0 * factor + term;
    a1 = a1 * factor + term;
    a2 = a2 * factor + term;
    a0 = a0 * factor + term;
    a1 = a1 * factor + term;
    a2 = a2 * factor + term;
  }
  y[id.x] = a0 + a1 + a2;
}
