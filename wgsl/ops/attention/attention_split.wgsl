// What decode attention makes of a split, for attention_combine.wgsl to join.
//
//   partial  [n_decode_tiles, N_HEAD, MAX_SPLITS, HEAD_DIM4 + 1]   o, then (m, l, splits, 0)
//
// requires: kv storage
// provides: attention result

override MAX_SPLITS: u32;

@group(1) @binding(1) var<storage, read_write> partial: array<vec4f>;

fn attention_place(row: u32, head: u32, workgroup: vec3u) -> u32 {
  return ((workgroup.z * N_HEAD + head) * MAX_SPLITS + workgroup.x) * (HEAD_DIM4 + 1u);
}

fn attention_store(place: u32, d4: u32, o: vec4f, l: f32) {
  partial[place + d4] = o;
}

fn attention_finish(place: u32, m: f32, l: f32, n_splits: u32) {
  partial[place + HEAD_DIM4] = vec4f(m, l, f32(n_splits), 0.0);
}
