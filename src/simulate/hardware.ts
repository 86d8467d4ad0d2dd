/**
 * GPUs as a simulation sees them: how fast they can read and multiply at best, from the vendors' data sheets.
 *
 * @module
 */

/** Peak rates of a GPU. */
export interface Hardware {
  /** Its name. */
  readonly name: string;
  /** Bytes that it reads from its memory per second. */
  readonly bytesPerSecond: number;
  /** Floating-point operations per second in 16 bits, dense. */
  readonly flopsPerSecond: number;
  /** Bytes per second between its memory and the host's, in one direction. */
  readonly hostBytesPerSecond: number;
  /** Milliseconds that a step takes on top of reading and multiplying: launches, scheduling, sampling. */
  readonly overheadMs: number;
}

const PCIE_4 = 32e9;
const PCIE_5 = 64e9;
/** Of the order of what serving systems without CUDA graphs need per step. */
const OVERHEAD_MS = 5;

/** GPUs by name: NVIDIA's data sheets of the A100 (2021), H100 and H200 (2023), SXM. */
export const HARDWARE: readonly Hardware[] = [
  gpu("a100-40gb", 1.555e12, 312e12, PCIE_4),
  gpu("a100-80gb", 2.039e12, 312e12, PCIE_4),
  gpu("h100", 3.35e12, 989e12, PCIE_5),
  gpu("h200", 4.8e12, 989e12, PCIE_5),
];

function gpu(
  name: string,
  bytesPerSecond: number,
  flopsPerSecond: number,
  hostBytesPerSecond: number,
): Hardware {
  return { name, bytesPerSecond, flopsPerSecond, hostBytesPerSecond, overheadMs: OVERHEAD_MS };
}
