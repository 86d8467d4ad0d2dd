// tokens[sequence, position + 1] = the lowest id among those with the largest logit, for every output
//
//   logits  [n_outputs, LOGITS_STRIDE], of which N_VOCAB are real
//   tokens  [n_sequences, N_CTX]
//
// Where a logit is infinite or NaN, the id is NOT_FINITE, which is no token's.
//
// The chosen id stays on the GPU, where the next step's embedding reads it. At the last position of the context
// there is no next token to write.
// A workgroup of LANES lanes (at most 256) scans one output: each lane a stretch, then the first lane the
// lanes' results.
//
// requires: step.wgsl

override N_VOCAB: u32;
override LOGITS_STRIDE: u32;
override N_CTX: u32;
override LANES: u32;

// As bits: what is no number must be seen, and WGSL lets compilers assume that there is none among floats.
@group(1) @binding(0) var<storage, read> logits: array<u32>;
@group(1) @binding(1) var<storage, read_write> tokens: array<u32>;

const NOT_FINITE = 0xffffffffu;
const MAGNITUDE = 0x7fffffffu; // all bits but the sign
const INFINITY = 0x7f800000u; // the least magnitude that is not finite

var<workgroup> best_values: array<f32, LANES>;
var<workgroup> best_ids: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let base = workgroup.x * LOGITS_STRIDE;
  var bits = logits[base + min(local.x, N_VOCAB - 1u)];
  var value = bitcast<f32>(bits);
  var magnitude = bits & MAGNITUDE;
  var id = local.x;
  for (var n = local.x + LANES; n < N_VOCAB; n += LANES) {
    bits = logits[base + n];
    magnitude = max(magnitude, bits & MAGNITUDE);
    let candidate = bitcast<f32>(bits);
    if (candidate > value) {
      value = candidate;
      id = n;
    }
  }
  best_values[local.x] = value;
  best_ids[local.x] = select(min(id, N_VOCAB - 1u), NOT_FINITE, magnitude >= INFINITY);
  workgroupBarrier();

  let output = outputs[workgroup.x];
  if (local.x != 0u || output.position + 1u >= N_CTX) {
    return;
  }
  var is_finite = magnitude < INFINITY;
  for (var i = 1u; i < LANES; i++) {
    is_finite = is_finite && best_ids[i] != NOT_FINITE;
    if (best_values[i] > value || (best_values[i] == value && best_ids[i] < id)) {
      value = best_values[i];
      id = best_ids[i];
    }
  }
  tokens[output.sequence * N_CTX + output.position + 1u] = select(NOT_FINITE, id, is_finite);
}
