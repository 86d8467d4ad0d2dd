// K and V that are stored as they are.
//
// Joined after kv_f32.wgsl or kv_f16.wgsl, in the place of kv_scales_read.wgsl and kv_scales_write.wgsl.

// What loaded vectors of the head that begins there are multiplied by.
fn kv_scale(begin: u32) -> f32 {
  return 1.0;
}

fn kv_store_scale(begin: u32, value: f32) {
}
