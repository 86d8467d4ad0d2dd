// K and V of four entries at a time: where they are, what they hold, and what they are multiplied by. Part 0 is K, part 1
// is V.
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

// Where a head begins in each of four slots.
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
  x: vec4u,
  y: vec4u,
  z: vec4u,
  w: vec4u,
}

// The nth kv_step() vectors of each of four heads.
fn kv_quad(part: u32, begin: vec4u, nth: u32) -> KvQuad {
  return KvQuad(
    kv_fetch(part, begin.x, nth),
    kv_fetch(part, begin.y, nth),
    kv_fetch(part, begin.z, nth),
    kv_fetch(part, begin.w, nth),
  );
}

// One of those vectors of the four heads, each a column.
fn kv_columns(part: u32, quad: KvQuad, i: u32) -> mat4x4f {
  return mat4x4f(
    kv_take(part, quad.x, i),
    kv_take(part, quad.y, i),
    kv_take(part, quad.z, i),
    kv_take(part, quad.w, i),
  );
}

// What loaded vectors of four heads are multiplied by.
fn kv_scales(part: u32, begin: vec4u) -> vec4f {
  return vec4f(
    kv_scale(part, begin.x),
    kv_scale(part, begin.y),
    kv_scale(part, begin.z),
    kv_scale(part, begin.w),
  );
}
