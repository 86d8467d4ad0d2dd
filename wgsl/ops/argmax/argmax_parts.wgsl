// The largest logit of each of PARTS stretches of every output, for hardware GPUs; argmax_join.wgsl finds the largest of those.
//
//   logits   [n_outputs, LOGITS_STRIDE], of which N_VOCAB are real
//   partial  [n_outputs, PARTS] key of the logit, as in argmax_best.wgsl, and its id
//
// A workgroup of LANES lanes scans a stretch: each lane four logits at once. The grid is (PARTS, outputs).
//
// requires: argmax_keys.wgsl

override N_VOCAB: u32;
override LOGITS_STRIDE: u32;
override PARTS: u32;

// As bits: what is no number must be seen, and WGSL lets compilers assume that there is none among floats.
@group(1) @binding(0) var<storage, read> logits: array<u32>;
@group(1) @binding(1) var<storage, read_write> partial: array<Best>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let stretch = (N_VOCAB + PARTS - 1u) / PARTS;
  let first = workgroup.x * stretch;
  let end = min(first + stretch, N_VOCAB);
  let base = workgroup.y * LOGITS_STRIDE;
  var best = NONE;
  for (var n = first + local.x; n < end; n += 4u * LANES) {
    let a = logits[base + n];
    let b = logits[base + min(n + LANES, end - 1u)];
    let c = logits[base + min(n + 2u * LANES, end - 1u)];
    let d = logits[base + min(n + 3u * LANES, end - 1u)];
    best = better(best, best_of(a, n));
    best = better(best, best_of(b, min(n + LANES, end - 1u)));
    best = better(best, best_of(c, min(n + 2u * LANES, end - 1u)));
    best = better(best, best_of(d, min(n + 3u * LANES, end - 1u)));
  }
  best = best_of_lanes(local.x, best);
  if (local.x == 0u) {
    partial[workgroup.y * PARTS + workgroup.x] = best;
  }
}
