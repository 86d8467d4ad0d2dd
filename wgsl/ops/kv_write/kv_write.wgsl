// kv[slot(r)] = (K, V) of row r, each head in the form that it is stored in.
//
//   x   [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv  see kv_groups.wgsl
//
// A lane stores K or V of one head of one row.
//
// requires: step.wgsl, kv slots, kv entries, kv write, kv scales write, kv parts, x

const TINY = 1e-30; // a head of zeros is divided by it

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / (2u * N_HEAD);
  let part = id.x / N_HEAD % 2u;
  let head = id.x % N_HEAD;
  if (row >= counts.n_rows) {
    return;
  }
  let source = ((row * 3u + 1u + part) * N_HEAD + head) * HEAD_DIM4;
  let slot = kv_slot(rows[row].sequence, kv_entry(rows[row].position));
  let to = kv_head(slot, part, head);
  var scale = 1.0;
  if (part_steps(part) > 0.0) {
    // As bits without their sign, which order as magnitudes do: max() of floats might drop NaN, which must stay.
    var largest = vec4u(bitcast<u32>(TINY));
    for (var d4 = 0u; d4 < HEAD_DIM4; d4++) {
      largest = max(largest, bitcast<vec4u>(x_load(source + d4)) & vec4u(0x7fffffffu));
    }
    scale = bitcast<f32>(max(max(largest.x, largest.y), max(largest.z, largest.w))) / part_steps(part);
    kv_store_scale(part, to, scale);
  }
  kv_store(part, to, source, scale);
}
