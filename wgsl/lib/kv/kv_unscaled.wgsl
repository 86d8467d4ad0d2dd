// K and V that are stored as they are.
//
// provides: kv scales read, kv scales write

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(part: u32, begin: u32) -> f32 {
  return 1.0;
}

fn kv_store_scale(part: u32, begin: u32, value: f32) {
}
