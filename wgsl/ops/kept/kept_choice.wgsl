// The tokens of a prompt that stay: for each head the last RECENT ones, and of the others the HEAVY ones with the largest
// scores, each averaged with its neighbours: POOL scores with the token's own in their middle, and zeros beyond the
// ends of the others. Of equal ones the earlier stays. (Averages are compared as sums.)
//
//   kept  [sequences, N_HEAD, kept_stride]: see kept_table.wgsl; tokens in their order
//   work  scores, sums and choices: see kept_work.wgsl
//
// A workgroup chooses for one head, of which a lane has consecutive tokens. The grid is (heads, sequences).
//
// requires: kept_work.wgsl, kept_table.wgsl

override N_HEAD: u32;
override HEAVY: u32;
override RECENT: u32;
override POOL: u32;

const LANES = 64u;

@group(1) @binding(0) var<storage, read_write> kept: array<Kept>;

var<workgroup> chosen: array<u32, LANES>; // by lane: how many of its tokens stay

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  let head = workgroup.x;
  let sequence = workgroup.y;
  let length = places[sequence].length;
  let first = prompt_place(sequence, head, N_HEAD);
  let to = kept_place(sequence, head, N_HEAD);
  var n_others = length - min(length, RECENT);
  if (length <= HEAVY + RECENT) {
    n_others = 0u; // all stay
  }
  let share = (length + LANES - 1u) / LANES;
  let begin = min(length, lane * share);
  let end = min(length, begin + share);
  for (var p = begin; p < min(end, n_others); p++) {
    var sum = 0.0;
    let last = min(n_others - 1u, p + POOL / 2u);
    for (var i = p - min(p, POOL / 2u); i <= last; i++) {
      sum += work[first + 3u * i];
    }
    work[first + 3u * p + 1u] = sum;
  }
  storageBarrier();
  var n_chosen = 0u;
  for (var p = begin; p < end; p++) {
    var stays = p >= n_others;
    if (!stays) {
      let own = work[first + 3u * p + 1u];
      var rank = 0u;
      for (var i = 0u; i < n_others && rank < HEAVY; i++) {
        let other = work[first + 3u * i + 1u];
        rank += u32(other > own || (other == own && i < p));
      }
      stays = rank < HEAVY;
    }
    work[first + 3u * p + 2u] = f32(stays);
    n_chosen += u32(stays);
  }
  chosen[lane] = n_chosen;
  workgroupBarrier();
  var at = to;
  for (var i = 0u; i < lane; i++) {
    at += chosen[i];
  }
  for (var p = begin; p < end; p++) {
    if (work[first + 3u * p + 2u] == 1.0) {
      kept[at] = Kept(p, work[first + 3u * p], 0.0);
      at++;
    }
  }
}
