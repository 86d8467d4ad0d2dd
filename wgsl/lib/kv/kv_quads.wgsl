// K and V of four entries at a time: where they are, what they hold, and what they are multiplied by.
//
// requires: kv slots, kv entries, kv read, kv scales read

// Slots of four entries.
fn kv_slots(sequence: u32, entries: vec4u) -> vec4u {
  return vec4u(
    kv_slot(sequence, entries.x),
    kv_slot(sequence, entries.y),
    kv_slot(sequence, entries.z),
    kv_slot(sequence, entries.w),
  );
}

// Whether the row at `position` attends to each of four entries below kv_entries().
fn kv_visibles(position: u32, head: u32, entries: vec4u) -> vec4<bool> {
  return vec4<bool>(
    kv_visible(position, head, entries.x),
    kv_visible(position, head, entries.y),
    kv_visible(position, head, entries.z),
    kv_visible(position, head, entries.w),
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

// What was read of four heads.
struct KvQuad {
  x: KvFetch,
  y: KvFetch,
  z: KvFetch,
  w: KvFetch,
}

// KV_STEP vectors of each of four heads from d4 on, a multiple of it.
fn kv_quad(begin: vec4u, d4: u32) -> KvQuad {
  return KvQuad(kv_fetch(begin.x + d4), kv_fetch(begin.y + d4), kv_fetch(begin.z + d4), kv_fetch(begin.w + d4));
}

// One of those vectors of the four heads, each a column.
fn kv_columns(quad: KvQuad, i: u32) -> mat4x4f {
  return mat4x4f(kv_take(quad.x, i), kv_take(quad.y, i), kv_take(quad.z, i), kv_take(quad.w, i));
}

// What loaded vectors of four heads are multiplied by.
fn kv_scales(begin: vec4u) -> vec4f {
  return vec4f(kv_scale(begin.x), kv_scale(begin.y), kv_scale(begin.z), kv_scale(begin.w));
}
