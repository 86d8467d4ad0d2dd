// How lanes of decode attention hand something on: by shuffles, where they are eight and of one subgroup.
//
// requires: attention_decode.wgsl, x
// provides: attention lanes

var<private> query_near: vec4f; // vector `lane` of the query
var<private> query_far: vec4f; // vector 8 + `lane`
var<private> weights_near: vec4f;
var<private> weights_far: vec4f;
var<private> places_near: vec4u;
var<private> places_far: vec4u;

// The number of a lane, of a workgroup whose query begins there.
fn lane_begin(local: u32, query: u32) -> u32 {
  let lane = subgroupExclusiveAdd(1u);
  query_near = x_load(query + min(lane, HEAD_DIM4 - 1u));
  if (HEAD_DIM4 > 8u) {
    query_far = x_load(query + min(8u + lane, HEAD_DIM4 - 1u));
  }
  return lane;
}

// Vector d4 of the query.
fn lanes_query(d4: u32) -> vec4f {
  return subgroupShuffle(select(query_near, query_far, d4 >= 8u), d4 % 8u);
}

fn lanes_max(lane: u32, value: f32) -> f32 {
  var largest = max(value, subgroupShuffleXor(value, 1u));
  largest = max(largest, subgroupShuffleXor(largest, 2u));
  return max(largest, subgroupShuffleXor(largest, 4u));
}

// The sum over every lane that many lanes from the first `beside` ones, in these.
fn lanes_sum(lane: u32, value: vec4f, beside: u32) -> vec4f {
  var sum = value;
  if (beside < 8u) {
    sum += subgroupShuffleXor(sum, 4u);
  }
  if (beside < 4u) {
    sum += subgroupShuffleXor(sum, 2u);
  }
  if (beside < 2u) {
    sum += subgroupShuffleXor(sum, 1u);
  }
  return sum;
}

// Hands on what a lane found out about its near or far entries: what V is multiplied by, and where it begins.
fn lanes_put(lane: u32, half: u32, weights: vec4f, places: vec4u) {
  if (half == 0u) {
    weights_near = weights;
    places_near = places;
  } else {
    weights_far = weights;
    places_far = places;
  }
}

fn lanes_wait() {
}

fn weights_of(lane: u32, half: u32) -> vec4f {
  return subgroupShuffle(select(weights_far, weights_near, half == 0u), lane);
}

fn places_of(lane: u32, half: u32) -> vec4u {
  return subgroupShuffle(select(places_far, places_near, half == 0u), lane);
}
