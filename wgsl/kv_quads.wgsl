// K and V of four positions at a time: where they are, what they hold, and what they are multiplied by.
//
// Joined after kv_contiguous.wgsl, kv_arena.wgsl or kv_paged.wgsl and kv_f32.wgsl, kv_f16.wgsl or kv_int8.wgsl, and
// before the attention kernels.

// Slots of four positions.
fn kv_slots(sequence: u32, p: vec4u) -> vec4u {
  return vec4u(
    kv_slot(sequence, p.x),
    kv_slot(sequence, p.y),
    kv_slot(sequence, p.z),
    kv_slot(sequence, p.w),
  );
}

// Where the vectors of a head begin in each of four slots; part 0 is K, part 1 is V.
fn kv_heads(slots: vec4u, part: u32, head: u32) -> vec4u {
  return vec4u(
    kv_head(slots.x, part, head),
    kv_head(slots.y, part, head),
    kv_head(slots.z, part, head),
    kv_head(slots.w, part, head),
  );
}

// The same vector of four heads, each a column.
fn kv_columns(begin: vec4u, d4: u32) -> mat4x4f {
  return mat4x4f(
    kv_load(begin.x + d4),
    kv_load(begin.y + d4),
    kv_load(begin.z + d4),
    kv_load(begin.w + d4),
  );
}

// What loaded vectors of four heads are multiplied by.
fn kv_scales(begin: vec4u) -> vec4f {
  return vec4f(kv_scale(begin.x), kv_scale(begin.y), kv_scale(begin.z), kv_scale(begin.w));
}
