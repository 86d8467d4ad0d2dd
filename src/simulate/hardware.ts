/** GPUs for a simulation: their peak rates of reading and multiplying, from the vendors' data sheets. */

/** Peak rates of a GPU. */
export interface Hardware {
  readonly name: string;
  /** Memory bandwidth. */
  readonly bytesPerSecond: number;
  /** Dense floating-point operations per second in 16 bits. */
  readonly flopsPerSecond: number;
  /** Bandwidth to host memory in one direction. */
  readonly hostBytesPerSecond: number;
  /** Time of launches, scheduling and sampling per step. */
  readonly overheadMs: number;
}

const PCIE_4 = 32e9;
const PCIE_5 = 64e9;
/** About the overhead of serving systems without CUDA graphs. */
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
