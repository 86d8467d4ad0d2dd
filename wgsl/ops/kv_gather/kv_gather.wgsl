// to[s, i] = from[block_table[s, i / BLOCK_UNITS], i % BLOCK_UNITS]: copies the blocks of every sequence of a step to the
// region that attention reads, where they lie one after another.
//
//   block_table  [n_sequences, MAX_BLOCKS]
//   from, to     see kv_gather_texels.wgsl and kv_gather_words.wgsl: units of a block come one after another
//
// The grid is (stretches, tiles); the last tile of a sequence knows how many tokens there are. A lane copies every so many
// units.
//
// requires: step.wgsl, gather units

override BLOCK_SIZE: u32;
override MAX_BLOCKS: u32;
override BLOCK_UNITS: u32;
override REGION_UNITS: u32;

@group(1) @binding(2) var<storage, read> block_table: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let tile = tiles[id.y];
  if (id.y + 1u < counts.n_prefill_tiles && tiles[id.y + 1u].sequence == tile.sequence) {
    return;
  }
  let n_blocks = (tile.first_position + tile.n_rows + BLOCK_SIZE - 1u) / BLOCK_SIZE;
  for (var i = id.x; i < n_blocks * BLOCK_UNITS; i += 64u * groups.x) {
    let block = block_table[tile.sequence * MAX_BLOCKS + i / BLOCK_UNITS];
    gather_unit(block * BLOCK_UNITS + i % BLOCK_UNITS, tile.sequence * REGION_UNITS + i);
  }
}
