// What decode attention makes of a whole context: its result.
//   y = o / l
//
//   y  [n_rows, N_HEAD, HEAD_DIM4]
//
// requires: kv storage, y
// provides: attention result

fn attention_place(row: u32, head: u32, workgroup: vec3u) -> u32 {
  return row * N_HEAD + head;
}

fn attention_store(place: u32, d4: u32, o: vec4f, l: f32) {
  y_store(place * HEAD_DIM4 + d4, o / l);
}

fn attention_finish(place: u32, m: f32, l: f32, n_splits: u32) {
}
