/** Reference of `probe_arithmetic.wgsl`. */

/** Computes what `lanes` lanes make of `start` [4, 4] in `steps` steps: [lanes, 4]. */
export function probeArithmeticCpu(start: Float32Array, lanes: number, steps: number): Float32Array {
  const factor = start[12]!, term = start[13]!;
  return Float32Array.from({ length: 4 * lanes }, (_, at) => {
    let sum = 0;
    for (let j = 0; j < 3; j++) {
      let value = start[4 * j + at % 4]! + Math.floor(at / 4);
      for (let step = 0; step < steps; step++) value = value * factor + term;
      sum += value;
    }
    return sum;
  });
}
