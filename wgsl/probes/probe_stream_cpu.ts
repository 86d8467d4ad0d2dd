/** Reference of `probe_stream.wgsl`. */

/** The sums [lanes, 4] of `tiles` tiles for each lane, of `data` [lanes * tiles, 4, 4]. */
export function probeStreamCpu(
  data: Float32Array,
  { tiles, laneStep, tileStep }: { tiles: number; laneStep: number; tileStep: number },
): Float32Array {
  const lanes = data.length / 16 / tiles;
  return Float32Array.from({ length: 4 * lanes }, (_, at) => {
    const lane = Math.floor(at / 4);
    let sum = 0;
    for (let t = 0; t < tiles; t++) {
      for (let j = 0; j < 4; j++) sum += data[16 * (lane * laneStep + t * tileStep) + 4 * j + at % 4]!;
    }
    return sum;
  });
}
