// tokens[sequence, position + 1] ~ softmax(logits / temperature) over the tokens that top-k and top-p leave
//
//   logits    [n_outputs, LOGITS_STRIDE], of which N_VOCAB are real
//   tokens    [n_sequences, N_CTX]
//   sampling  [n_sequences]
//
//   top-k     keeps the tokens whose logit is at least the k-th largest (ties stay); 0 is off
//   top-p     keeps the likeliest tokens of those, as few as weigh top_p of their mass together: the token
//             that crosses top_p stays, and so do its ties; 1 is off
//   choice    argmax of logit / temperature + g, with g = -log(-log(u)) (the Gumbel-max trick: Maddison,
//             Tarlow and Minka 2014, "A* Sampling"); the lowest id among equals. Temperature 0 is the argmax.
//
// Where a logit is infinite or NaN, the id is NOT_FINITE, which is no token's.
//
// u is a hash of (seed, position, token), and all sums are of integers, so that neither LANES nor the batch
// nor the KV strategy changes what is chosen. At the last position of the context there is no next token.
//
//   N_VOCAB   at most 2^18, see MASS_ONE
//   LANES     a power of two
//
// A workgroup of LANES lanes handles one output. Both thresholds are found without a sort, through radix
// select on the bits of the logit: two to four scans, each with a histogram over the next bits (Alabi et al. 2012,
// "Fast K-Selection Algorithms for Graphics Processing Units"). The bits are those of the distance from the lowest logit
// that may be chosen, so that logits spread over the bins, where few lanes meet. Scans that are not wanted are skipped.
//
// requires: step.wgsl

override N_VOCAB: u32;
override LOGITS_STRIDE: u32;
override N_CTX: u32;
override LANES: u32;
// Logits that a lane reads at once: 1 or 8.
override AT_ONCE: u32;

// Lower temperatures count as 0: they would tell logits apart that differ by less than their rounding error.
const MIN_TEMPERATURE = 1e-6;
// A level of the radix select settles so many bits, 8 to 11; the last one what is left. More bits make fewer
// scans, and more bins, which some compilers set to zero one by one.
override BIN_BITS: u32;
override N_BINS: u32 = 1u << BIN_BITS;
// Lanes that add up bins.
override BIN_LANES: u32 = select(LANES, 256u, LANES > 256u);
// The likeliest token's mass. 2^18 tokens of it make 2^48, which is what a bin can hold.
const MASS_ONE = 1073741824.0;

const NOT_FINITE = 0xffffffffu;
const MAGNITUDE = 0x7fffffffu; // all bits but the sign
const INFINITY = 0x7f800000u; // the least magnitude that is not finite

struct Sampling {
  temperature: f32,
  top_k: u32,
  top_p: f32,
  seed: u32,
}

// As bits: what is no number must be seen, and WGSL lets compilers assume that there is none among floats.
@group(1) @binding(0) var<storage, read> logits: array<u32>;
@group(1) @binding(1) var<storage, read_write> tokens: array<u32>;
@group(1) @binding(2) var<storage, read> sampling: array<Sampling>;

// A bin's weight has 48 bits: 32 low ones, and 16 high ones that share a word with a neighbour's. With 32 high ones,
// 2^11 bins would not fit the 16 KiB of workgroup memory that every WebGPU device has.
var<workgroup> bins_low: array<atomic<u32>, N_BINS>;
var<workgroup> bins_high: array<atomic<u32>, N_BINS / 2u>;
var<workgroup> lane_weights: array<vec2u, BIN_LANES>; // then of a lane's bins and all above
var<workgroup> found_bits: u32; // by the lane whose bins hold the threshold
var<workgroup> missing_weight: vec2u; // by that lane
var<workgroup> key_range: u32; // by the first lane
var<workgroup> lowest_complement: atomic<u32>; // of the lowest key
var<workgroup> largest_magnitude: atomic<u32>;
// By round: the argmax of the logits, then the choice. Complements of ids, so that 0 is lower than all.
var<workgroup> best_keys: array<atomic<u32>, 2>;
var<workgroup> best_ids: array<atomic<u32>, 2>;

// What a lane works on.
struct Task {
  lane: u32,
  first: u32, // the output's first logit
  highest: f32, // the output's largest logit
  highest_key: u32,
  position: u32,
  wanted: Sampling,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let output = outputs[workgroup.x];
  if (output.position + 1u >= N_CTX) {
    return;
  }
  let wanted = sampling[output.sequence];
  var task = Task(local.x, workgroup.x * LOGITS_STRIDE, 0.0, 0u, output.position, wanted);
  var id = best_logit(task);
  if (wanted.temperature >= MIN_TEMPERATURE) {
    task.highest_key = atomicLoad(&best_keys[0]);
    task.highest = logit_of(task.highest_key);
    var lowest_key = ~atomicLoad(&lowest_complement);
    if (wanted.top_k > 0u && wanted.top_k < N_VOCAB) {
      lowest_key = threshold(task, lowest_key, false);
    }
    if (wanted.top_p < 1.0) {
      lowest_key = threshold(task, lowest_key, true);
    }
    id = draw(task, lowest_key);
  }
  if (local.x == 0u) {
    tokens[output.sequence * N_CTX + output.position + 1u] =
      select(NOT_FINITE, id, atomicLoad(&largest_magnitude) < INFINITY);
  }
}

// What a scan does with a logit.
const RANK = 0u;
const DRAW = 1u;
const COUNT = 2u;

struct Scan {
  does: u32,
  lowest_key: u32,
  found: u32, // of use where it counts, as are those below
  shift: u32,
  n_bins: u32,
  by_mass: bool,
}

// The best of what a lane has seen.
struct Best {
  key: u32,
  id: u32,
  magnitude: u32,
  lowest_complement: u32,
}

// Goes through all logits: a lane through every LANES-th, AT_ONCE of them under way together.
fn scan(task: Task, asked: Scan) -> Best {
  var best: Best;
  for (var n = task.lane; n < N_VOCAB; n += AT_ONCE * LANES) {
    let a = load(task, n);
    if (AT_ONCE == 1u) {
      see(task, asked, &best, a, n);
    } else {
      let b = load(task, n + LANES);
      let c = load(task, n + 2u * LANES);
      let d = load(task, n + 3u * LANES);
      let e = load(task, n + 4u * LANES);
      let f = load(task, n + 5u * LANES);
      let g = load(task, n + 6u * LANES);
      let h = load(task, n + 7u * LANES);
      see(task, asked, &best, a, n);
      see(task, asked, &best, b, n + LANES);
      see(task, asked, &best, c, n + 2u * LANES);
      see(task, asked, &best, d, n + 3u * LANES);
      see(task, asked, &best, e, n + 4u * LANES);
      see(task, asked, &best, f, n + 5u * LANES);
      see(task, asked, &best, g, n + 6u * LANES);
      see(task, asked, &best, h, n + 7u * LANES);
    }
  }
  return best;
}

// The token's id; behind the last one, that one's.
fn within(n: u32) -> u32 {
  return select(min(n, N_VOCAB - 1u), n, AT_ONCE == 1u);
}

fn load(task: Task, n: u32) -> u32 {
  return logits[task.first + within(n)];
}

fn see(task: Task, asked: Scan, best: ptr<function, Best>, bits: u32, n: u32) {
  let key = key_of(bits);
  let id = within(n); // seen again, it changes neither the largest nor the choice
  switch asked.does {
    case RANK: {
      (*best).magnitude = max((*best).magnitude, bits & MAGNITUDE);
      (*best).lowest_complement = max((*best).lowest_complement, ~key);
      keep(best, key, id);
    }
    case DRAW: {
      if (key >= asked.lowest_key) {
        let noise = gumbel(vec3u(task.wanted.seed, task.position, id));
        let score = (bitcast<f32>(bits) - task.highest) / task.wanted.temperature + noise;
        keep(best, key_of(bitcast<u32>(score)), id);
      }
    }
    default: {
      let b = ((key - asked.lowest_key) ^ asked.found) >> asked.shift; // n_bins or more where settled bits differ
      if (key >= asked.lowest_key && b < asked.n_bins && n == id) {
        add_to_bin(b, select(1u, mass(task, bitcast<f32>(bits)), asked.by_mass));
      }
    }
  }
}

fn keep(best: ptr<function, Best>, key: u32, id: u32) {
  if (key > (*best).key) {
    (*best).key = key;
    (*best).id = id;
  }
}

fn best_logit(task: Task) -> u32 {
  let best = scan(task, Scan(RANK, 0u, 0u, 0u, 0u, false));
  atomicMax(&lowest_complement, best.lowest_complement);
  atomicMax(&largest_magnitude, best.magnitude);
  return best_of_lanes(0u, best.key, best.id);
}

fn draw(task: Task, lowest_key: u32) -> u32 {
  let best = scan(task, Scan(DRAW, lowest_key, 0u, 0u, 0u, false));
  return best_of_lanes(1u, best.key, best.id);
}

// The id that goes with the largest key of all lanes; the lowest one of several.
fn best_of_lanes(round: u32, key: u32, id: u32) -> u32 {
  atomicMax(&best_keys[round], key);
  workgroupBarrier();
  if (key == atomicLoad(&best_keys[round])) {
    atomicMax(&best_ids[round], ~id);
  }
  workgroupBarrier();
  return ~atomicLoad(&best_ids[round]);
}

// The largest key such that the tokens from there on, of those from `lowest_key` on, weigh enough together:
// top_k at a weight of 1 each or, `by_mass`, top_p of all their mass. Where all are needed: `lowest_key`.
fn threshold(task: Task, lowest_key: u32, by_mass: bool) -> u32 {
  let bins_per_lane = N_BINS / BIN_LANES;
  let first_bin = task.lane * bins_per_lane;
  if (task.lane == 0u) {
    key_range = task.highest_key - lowest_key;
    missing_weight = vec2u(task.wanted.top_k, 0u);
  }
  var bits = 32u - countLeadingZeros(workgroupUniformLoad(&key_range)); // of the distance, not settled yet
  var found = 0u; // those settled so far, the others 0
  for (var is_first = true; bits > 0u; is_first = false) {
    let shift = bits - min(bits, BIN_BITS);
    for (var b = task.lane; b < N_BINS; b += LANES) {
      atomicStore(&bins_low[b], 0u);
      atomicStore(&bins_high[b / 2u], 0u);
    }
    workgroupBarrier();

    _ = scan(task, Scan(COUNT, lowest_key, found, shift, 1u << (bits - shift), by_mass));
    workgroupBarrier();

    if (task.lane < BIN_LANES) {
      var weight = vec2u();
      for (var b = first_bin; b < first_bin + bins_per_lane; b++) {
        weight = add(weight, bin_weight(b));
      }
      lane_weights[task.lane] = weight;
    }
    add_lanes_above(task.lane);

    var missing = missing_weight;
    if (is_first && by_mass) {
      missing = share(task.wanted.top_p, lane_weights[0]);
    }
    workgroupBarrier();
    if (task.lane < BIN_LANES) {
      var above = vec2u();
      if (task.lane + 1u < BIN_LANES) {
        above = lane_weights[task.lane + 1u];
      }
      let reached = task.lane == 0u || !less(lane_weights[task.lane], missing);
      if (less(above, missing) && reached) {
        missing = subtract(missing, above);
        var b = first_bin + bins_per_lane - 1u;
        for (; b > first_bin && less(bin_weight(b), missing); b--) {
          missing = subtract(missing, bin_weight(b));
        }
        found_bits = found | (b << shift);
        missing_weight = missing;
      }
    }
    found = workgroupUniformLoad(&found_bits);
    bits = shift;
  }
  return lowest_key + found;
}

// Adds to each lane's weight those of the lanes above it, in steps that double.
fn add_lanes_above(lane: u32) {
  for (var step = 1u; step < BIN_LANES; step *= 2u) {
    workgroupBarrier();
    var above = vec2u();
    if (lane + step < BIN_LANES) {
      above = lane_weights[lane + step];
    }
    workgroupBarrier();
    if (lane < BIN_LANES) {
      lane_weights[lane] = add(lane_weights[lane], above);
    }
  }
  workgroupBarrier();
}

// A share of a weight, at least 1: without it, a tiny top_p would leave no token.
fn share(part: f32, total: vec2u) -> vec2u {
  let wanted = part * (f32(total.y) * 4294967296.0 + f32(total.x));
  let high = floor(wanted / 4294967296.0);
  return max(vec2u(u32(wanted - high * 4294967296.0), u32(high)), vec2u(select(1u, 0u, high > 0.0), 0u));
}

// exp((logit - highest) / temperature) in fixed point. All tokens' rounding down together is less than 2^-12.
fn mass(task: Task, logit: f32) -> u32 {
  return u32(exp((logit - task.highest) / task.wanted.temperature) * MASS_ONE);
}

fn add_to_bin(b: u32, weight: u32) {
  let before = atomicAdd(&bins_low[b], weight);
  if (before > ~weight) {
    atomicAdd(&bins_high[b / 2u], select(1u, 0x10000u, (b & 1u) == 1u));
  }
}

fn bin_weight(b: u32) -> vec2u {
  return vec2u(atomicLoad(&bins_low[b]), (atomicLoad(&bins_high[b / 2u]) >> ((b & 1u) * 16u)) & 0xffffu);
}

// Weights of 64 bits: low word, high word.

fn add(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn subtract(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn less(a: vec2u, b: vec2u) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// A number that orders as the float of these bits does, equal for both zeros and never 0.
fn key_of(bits: u32) -> u32 {
  return select(bits | 0x80000000u, 0u - bits, (bits >> 31u) == 1u);
}

fn logit_of(key: u32) -> f32 {
  return bitcast<f32>(select(key ^ 0x80000000u, 0u - key, (key >> 31u) == 0u));
}

// -log(-log(1 - v)) for v uniform in (0, 1). The tail that decides is that of small v, where f32 has digits
// to spare, and log(1 - v) is a series there because WGSL's log is only good to 2^-21 near 1.
fn gumbel(key: vec3u) -> f32 {
  let v = clamp((f32(pcg3d(key)) + 0.5) * 0x1p-32, 0x1p-33, 1.0 - 0x1p-24);
  let series = v * (1.0 + v * (1.0 / 2.0 + v * (1.0 / 3.0 + v * (1.0 / 4.0))));
  return -log(select(-log(1.0 - v), series, v < 1.0 / 64.0));
}

// pcg3d of Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", Journal of Computer Graphics
// Techniques 9(3), its first word.
fn pcg3d(key: vec3u) -> u32 {
  var v = key * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3u(16u);
  v.x += v.y * v.z;
  return v.x;
}
