// kv[slot(r)] = (K, V) of row r
//
//   qkv  [n_rows, 3, A4]
//   kv   see kv_contiguous.wgsl
//
// A lane copies four elements of one row.
// Joined after step.wgsl and kv_contiguous.wgsl or kv_paged.wgsl.

override A4: u32;

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / (2u * A4);
  let i = id.x % (2u * A4);
  if (row >= counts.n_rows) {
    return;
  }
  kv[kv_slot(rows[row].sequence, rows[row].position) * 2u * A4 + i] = qkv[row * 3u * A4 + A4 + i];
}
