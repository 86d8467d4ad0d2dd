// Where K and V live in a paged cache: a sequence's tokens lie in blocks of BLOCK_SIZE slots, which its row of
// the block table names in order (Kwon et al., PagedAttention, SOSP 2023, section 4.1).
//
//   block_table  [n_sequences, MAX_BLOCKS]
//
// provides: kv slots

override BLOCK_SIZE: u32;
override MAX_BLOCKS: u32;

@group(2) @binding(1) var<storage, read> block_table: array<u32>;

fn kv_slot(sequence: u32, entry: u32) -> u32 {
  return block_table[sequence * MAX_BLOCKS + entry / BLOCK_SIZE] * BLOCK_SIZE + entry % BLOCK_SIZE;
}
