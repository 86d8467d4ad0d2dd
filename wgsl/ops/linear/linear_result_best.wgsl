// Where logits of the head's product of one row go: to y, and the likeliest token of each workgroup's in passing to a table
// that argmax_join.wgsl goes through.
//
//   partial  [n_outputs, PARTS] key of a logit, as in argmax_best.wgsl, and its id: of this product from FIRST_PART on
//
// requires: linear.wgsl, y, argmax_best.wgsl
// provides: result

override N_VOCAB: u32;
override PARTS: u32;
override FIRST_PART: u32;

@group(1) @binding(5) var<storage, read_write> partial: array<Best>;

// Of each output tile; nothing where there is none.
var<workgroup> bests: array<Best, LANES>;

fn best_below_end(bits: u32, id: u32) -> Best {
  if (id >= N_VOCAB) {
    return NONE;
  }
  return best_of(bits, id);
}

fn result_store(row: u32, n4: u32, value: vec4f) {
  y_store(row * Y_STRIDE4 + Y_OFFSET4 + n4, value);
  let bits = bitcast<vec4u>(value);
  let id = 4u * (Y_OFFSET4 + n4);
  let near = better(best_below_end(bits.x, id), best_below_end(bits.y, id + 1u));
  let far = better(best_below_end(bits.z, id + 2u), best_below_end(bits.w, id + 3u));
  bests[n4 % LANES] = better(near, far);
}

// Called by all lanes of a workgroup when its outputs of a row are stored.
fn result_end(row: u32, group: u32, lane: u32) {
  workgroupBarrier();
  if (lane > 0u) {
    return;
  }
  var best = NONE;
  for (var i = 0u; i < min(LANES, N4 - group * LANES); i++) {
    best = better(best, bests[i]);
  }
  partial[row * PARTS + FIRST_PART + group] = best;
}
