// How lanes of decode attention hand something on: in workgroup memory.
//
// requires: attention_decode.wgsl, x
// provides: attention lanes

var<private> query_begin: u32;
var<workgroup> lane_weights: array<vec4f, 2u * LANES>;
var<workgroup> lane_places: array<vec4u, 2u * LANES>;
var<workgroup> lane_largest: array<f32, LANES>;
var<workgroup> lane_sums: array<vec4f, LANES>;

// The number of a lane, of a workgroup whose query begins there.
fn lane_begin(local: u32, query: u32) -> u32 {
  query_begin = query;
  return local;
}

// Vector d4 of the query.
fn lanes_query(d4: u32) -> vec4f {
  return x_load(query_begin + d4);
}

fn lanes_max(lane: u32, value: f32) -> f32 {
  lane_largest[lane] = value;
  workgroupBarrier();
  var largest = lane_largest[0];
  for (var i = 1u; i < LANES; i++) {
    largest = max(largest, lane_largest[i]);
  }
  return largest;
}

// The sum over every lane that many lanes from the first `beside` ones, in these.
fn lanes_sum(lane: u32, value: vec4f, beside: u32) -> vec4f {
  workgroupBarrier();
  lane_sums[lane] = value;
  workgroupBarrier();
  var sum = vec4f();
  for (var i = lane % beside; i < LANES; i += beside) {
    sum += lane_sums[i];
  }
  return sum;
}

// Hands on what a lane found out about its near or far entries: what V is multiplied by, and where it begins.
fn lanes_put(lane: u32, half: u32, weights: vec4f, places: vec4u) {
  lane_weights[2u * lane + half] = weights;
  lane_places[2u * lane + half] = places;
}

fn lanes_wait() {
  workgroupBarrier();
}

fn weights_of(lane: u32, half: u32) -> vec4f {
  return lane_weights[2u * lane + half];
}

fn places_of(lane: u32, half: u32) -> vec4u {
  return lane_places[2u * lane + half];
}
