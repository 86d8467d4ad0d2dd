/** The use of a cell's K/V memory, from its timeline. */
import type { Cell } from "../measure/record/cell.ts";
import { inEnglish } from "./lang.ts";
import { mean } from "../measure/statistics/statistics.ts";

/** The uses of K/V memory, in the order of a stack. */
export const KV_PARTS = ["used", "later", "internal", "external", "free"] as const;
/** A use of K/V memory. */
export type KvPart = (typeof KV_PARTS)[number];

/** Labels of the uses. */
export const KV_PART_NAMES: Readonly<Record<KvPart, string>> = {
  used: inEnglish`used`,
  later: inEnglish`for later`,
  internal: inEnglish`internal`,
  external: inEnglish`external`,
  free: inEnglish`free for others`,
};

/** Returns the bytes of each use after each generated token: [new tokens]. */
function kvTimeline({ memory: { timeline } }: Cell): Record<KvPart, number[]> {
  const {
    kv_used_bytes: used,
    kv_for_later_bytes: later,
    kv_internal_bytes: internal,
    kv_external_bytes: external,
  } = timeline;
  const free = timeline.kv_allocated_bytes.map((all, i) =>
    all - used[i]! - later[i]! - internal[i]! - external[i]!
  );
  return { used, later, internal, external, free };
}

/** Returns the mean bytes of each use over the request's tokens. */
export function kvMeans(cell: Cell): Record<KvPart, number> {
  const timeline = kvTimeline(cell);
  return Object.fromEntries(KV_PARTS.map((part) => [part, mean(timeline[part])])) as Record<KvPart, number>;
}

/** Returns the mean bytes that are reserved for the cell's sequences, and those that hold no token. */
export function kvReserved(cell: Cell): { reserved: number; wasted: number } {
  const { used, later, internal, external } = kvMeans(cell);
  return { reserved: used + later + internal, wasted: later + internal + external };
}
