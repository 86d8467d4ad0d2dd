/**
 * The way of a kernel's lanes through what it reads most of: what can be said about its speed on a GPU from grids and
 * addresses alone. Host only.
 */

/** The first read of each lane of a workgroup, and how many follow one another. */
export interface Walk {
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Those of them that read. Default: all. */
  readonly busy?: number;
  /** Reads of a lane one after another: weight tiles, or vectors. */
  readonly trips: number;
  /** Reads of them that are under way at once. Default: one. */
  readonly atOnce?: number;
  /** Waits for memory before its way, one after another. Default: none. */
  readonly before?: number;
  /** Bytes of a load. */
  readonly bytes: number;
  /** Returns the byte at which a lane's first load begins. */
  at(lane: number): number;
  /** Floating-point operations for each byte that a workgroup reads. Default: it is of no interest. */
  readonly flopPerByte?: number;
}

/** Counts a lane's waits for memory, one after another. */
export function waitsOf(
  { trips, atOnce = 1, before = 0 }: Pick<Walk, "trips" | "atOnce" | "before">,
): number {
  return before + Math.ceil(trips / atOnce);
}

/** Bytes of a line of a GPU's cache. */
const LINE_BYTES = 128;
/** Lanes of the waves that GPUs have. */
const WAVES: readonly number[] = [32, 64];

/** Counts the lines that a load of a wave touches at most, over the least that could hold as many bytes. */
export function mostLines(walk: Pick<Walk, "lanes" | "busy" | "bytes" | "at">): number {
  return Math.max(...WAVES.map((wave) => linesOverLeast(walk, wave)));
}

/** Counts the lines that one load of a wave touches, over the least that could hold as many bytes. */
export function linesOverLeast(
  { lanes, busy = lanes, bytes, at }: Pick<Walk, "lanes" | "busy" | "bytes" | "at">,
  wave: number,
): number {
  const reading = Math.min(busy, wave), lines = new Set<number>();
  for (let lane = 0; lane < reading; lane++) {
    const first = at(lane);
    for (let byte = first; byte < first + bytes; byte += 4) lines.add(Math.floor(byte / LINE_BYTES));
  }
  return lines.size / Math.ceil(reading * bytes / LINE_BYTES);
}
