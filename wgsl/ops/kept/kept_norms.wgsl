// What attention divides by in the rows of prompts whose probabilities count: for row r and head h, over the entries p,
//   m = max_p(q · k_p * SCALE)   norms = (m, 1 / sum_p exp(q · k_p * SCALE - m))
//
//   work  norms: see kept_work.wgsl
//   x     [n_rows, 3, N_HEAD, HEAD_DIM4]: queries, keys and values
//   kv    see kv_groups.wgsl
//
// A workgroup handles one head of one tile, four rows at a time; a lane goes through every LANESth four entries. LANES is
// at least four. The grid is (tiles, heads).
//
// requires: kv_kept.wgsl, step.wgsl, row scores, kept_work.wgsl

override LANES: u32;

var<workgroup> found: array<vec2f, LANES * 4u>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.x;
  let head = workgroup.y;
  let tile = tiles[workgroup.x];
  let sequence = tile.sequence;
  if (tile.first_position + tile.n_rows <= places[sequence].first_observed) {
    return;
  }
  for (var first_row = 0u; first_row < tile.n_rows; first_row += 4u) {
    let of_tile = min(vec4u(first_row) + OFFSETS, vec4u(tile.n_rows - 1u));
    let positions = vec4u(tile.first_position) + of_tile;
    let q = vec4u(
      query_of(tile.first_row + of_tile.x, head),
      query_of(tile.first_row + of_tile.y, head),
      query_of(tile.first_row + of_tile.z, head),
      query_of(tile.first_row + of_tile.w, head),
    );
    var a = vec2f(LOWEST, 0.0);
    var b = a;
    var c = a;
    var d = a;
    let last = positions.w;
    for (var first = 4u * lane; first <= last; first += 4u * LANES) {
      let entries = vec4u(first) + OFFSETS;
      let s = row_scores(q, keys_of(sequence, head, entries, last));
      a = softened(a, s[0], entries <= vec4u(positions.x));
      b = softened(b, s[1], entries <= vec4u(positions.y));
      c = softened(c, s[2], entries <= vec4u(positions.z));
      d = softened(d, s[3], entries <= vec4u(positions.w));
    }
    found[4u * lane] = a;
    found[4u * lane + 1u] = b;
    found[4u * lane + 2u] = c;
    found[4u * lane + 3u] = d;
    workgroupBarrier();
    if (lane < 4u && first_row + lane < tile.n_rows) {
      var all = found[lane];
      for (var i = 1u; i < LANES; i++) {
        all = merged(all, found[4u * i + lane]);
      }
      let to = norm_place(tile.first_row + first_row + lane, head, N_HEAD);
      work[to] = all.x;
      work[to + 1u] = 1.0 / all.y;
    }
    workgroupBarrier();
  }
}
