// The probabilities of single rows, added to the scores of what they attend to, and the choice of the token that leaves:
// for row r and head h, over the entries p, of which the row's own is the last,
//   score(p) += softmax_p(q · k_p * SCALE)
// and once there are more than KEPT entries, the one with the smallest score leaves, of equal ones the later token's. The
// last RECENT tokens stay. What is noted of the row's own token takes its place: kept_store.wgsl moves K and V.
//
//   x     [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kept  [sequences, N_HEAD, kept_stride]: see kept_table.wgsl
//   kv    see kv_groups.wgsl
//
// A workgroup handles one head of one row; a lane goes through every LANESth four entries. The grid is (heads, decode
// tiles).
//
// requires: kv_kept.wgsl, step.wgsl, row scores, kept_table.wgsl

override LANES: u32;
override KEPT: u32;
override RECENT: u32;

@group(1) @binding(1) var<storage, read_write> kept: array<Kept>;

// An entry that may leave.
struct Least {
  score: f32,
  position: u32,
  entry: u32,
}

var<workgroup> found: array<vec2f, LANES>;
var<workgroup> least: array<Least, LANES>;
var<workgroup> own_score: f32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  let head = workgroup.x;
  let tile = tiles[counts.n_prefill_tiles + workgroup.y];
  let sequence = tile.sequence;
  let position = tile.first_position;
  let n_entries = kv_entries(sequence, head, position);
  let last = n_entries - 1u;
  let at = kept_place(sequence, head, N_HEAD);
  let q = query_of(tile.first_row, head);
  var seen = vec2f(LOWEST, 0.0);
  for (var first = 4u * lane; first < n_entries; first += 4u * LANES) {
    let entries = vec4u(first) + OFFSETS;
    let s = row_score(q, keys_of(sequence, head, entries, last));
    seen = softened(seen, s, entries <= vec4u(last));
    for (var i = 0u; i < min(4u, n_entries - first); i++) {
      kept[at + first + i].raw = s[i];
    }
  }
  found[lane] = seen;
  workgroupBarrier();
  var all = found[0];
  for (var i = 1u; i < LANES; i++) {
    all = merged(all, found[i]);
  }
  var own = Least(-LOWEST, 0u, last);
  for (var first = 4u * lane; first < n_entries; first += 4u * LANES) {
    for (var entry = first; entry < min(first + 4u, n_entries); entry++) {
      let probability = exp(kept[at + entry].raw - all.x) / all.y;
      var each = Least(probability, position, entry);
      if (entry == last) {
        own_score = probability;
      } else {
        each.score += kept[at + entry].score;
        each.position = kept[at + entry].position;
      }
      kept[at + entry].score = each.score;
      if (each.position + RECENT <= position && leaves(each, own)) {
        own = each;
      }
    }
  }
  least[lane] = own;
  storageBarrier();
  workgroupBarrier();
  if (lane > 0u) {
    return;
  }
  for (var i = 1u; i < LANES; i++) {
    if (leaves(least[i], own)) {
      own = least[i];
    }
  }
  let free = select(last, own.entry, n_entries > KEPT);
  kept[at + free].position = position;
  kept[at + free].score = own_score;
  kept[at].raw = f32(free);
}

// Whether an entry leaves before another one.
fn leaves(a: Least, b: Least) -> bool {
  return a.score < b.score || (a.score == b.score && a.position > b.position);
}
