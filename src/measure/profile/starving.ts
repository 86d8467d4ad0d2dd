/**
 * Kinds of GPU that a kernel would not keep busy, by its workgroups and its waits for memory: an estimate from a few
 * figures of each kind, for judging a kernel without that GPU.
 */

/** A kind of GPU, by one of its kind. */
interface GpuKind {
  /** Name of the kind. */
  readonly kind: string;
  /** One of the kind. */
  readonly example: string;
  /** Bytes per second of its memory, as its maker says. */
  readonly bytesPerSecond: number;
  /** Multiply-adds in float32 per second, as its maker says. */
  readonly macsPerSecond: number;
  /** Its compute units, each of which wants a workgroup. */
  readonly units: number;
}

/** Kinds of GPU, the smallest first. */
export const GPU_KINDS: readonly GpuKind[] = [
  {
    ...{ kind: "integrated", example: "24 units" },
    ...{ bytesPerSecond: 80e9, macsPerSecond: 0.2e12, units: 3 },
  },
  { kind: "laptop", example: "M2", bytesPerSecond: 100e9, macsPerSecond: 1.8e12, units: 10 },
  { kind: "mid-range", example: "RTX 3060", bytesPerSecond: 360e9, macsPerSecond: 6.4e12, units: 28 },
  { kind: "high-end", example: "RX 7900 XTX", bytesPerSecond: 960e9, macsPerSecond: 15e12, units: 96 },
  { kind: "server", example: "H200", bytesPerSecond: 4800e9, macsPerSecond: 33e12, units: 132 },
];

/** Seconds of a wait for memory: the least and the most that are assumed. */
export const WAIT_SECONDS = [0.4e-6, 0.6e-6] as const;

/** A dispatch, as far as it says whether a GPU is busy. */
interface DispatchedWork {
  /** Bytes that it must read and write. */
  readonly bytes: number;
  /** Multiply-adds. */
  readonly macs: number;
  /** Its workgroups. */
  readonly workgroups: number;
  /** Waits of a lane for memory, one after another. */
  readonly waits: number;
}

/**
 * Finds the smallest kind of GPU on which a dispatch starves: it has fewer workgroups than there are compute units, or waits
 * longer, by the mean of what is assumed, than its bytes and its arithmetic take. Those after it starve as well.
 */
export function starvesFrom({ bytes, macs, workgroups, waits }: DispatchedWork): GpuKind | undefined {
  const waitSeconds = (WAIT_SECONDS[0] + WAIT_SECONDS[1]) / 2;
  return GPU_KINDS.find(({ bytesPerSecond, macsPerSecond, units }) =>
    workgroups < units || waits * waitSeconds > Math.max(bytes / bytesPerSecond, macs / macsPerSecond)
  );
}
