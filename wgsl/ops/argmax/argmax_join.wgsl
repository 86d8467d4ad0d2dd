// tokens[sequence, position + 1] = the id of the largest logit among those that argmax_parts.wgsl, or the head's product, found
// for an output, the lowest of several; NOT_FINITE, which is no token's, where a logit is infinite or NaN
//
//   partial  [n_outputs, PARTS] key of a logit, as in argmax_best.wgsl, and its id
//   tokens   [n_sequences, N_CTX]
//
// The chosen id stays on the GPU, where the next step's embedding reads it. At the last position of the context
// there is no next token to write. A workgroup joins the parts of one output: each lane four at once.
//
// requires: step.wgsl, argmax_keys.wgsl

override N_CTX: u32;
override PARTS: u32;

@group(1) @binding(0) var<storage, read> partial: array<Best>;
@group(1) @binding(1) var<storage, read_write> tokens: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = workgroup.x * PARTS;
  let end = PARTS - 1u;
  var own = NONE;
  for (var i = local.x; i < PARTS; i += 4u * LANES) {
    let a = partial[first + i];
    let b = partial[first + min(i + LANES, end)];
    let c = partial[first + min(i + 2u * LANES, end)];
    let d = partial[first + min(i + 3u * LANES, end)];
    own = better(own, better(better(a, b), better(c, d)));
  }
  let best = best_of_lanes(local.x, own);
  let output = outputs[workgroup.x];
  if (local.x == 0u && output.position + 1u < N_CTX) {
    tokens[output.sequence * N_CTX + output.position + 1u] = best.id;
  }
}
