/**
 * Where a cell's K/V memory goes, from its timeline.
 *
 * @module
 */
import type { Cell } from "../measure/record/cell.ts";
import { mean } from "../measure/statistics/statistics.ts";

/** The parts of K/V memory, in the order in which they are stacked. */
export const KV_PARTS = ["used", "later", "internal", "external", "free"] as const;
/** A part of K/V memory. */
export type KvPart = (typeof KV_PARTS)[number];

/** What the parts are called. */
export const KV_PART_NAMES: Readonly<Record<KvPart, string>> = {
  used: "used",
  later: "for later",
  internal: "internal",
  external: "external",
  free: "free for others",
};

/** Bytes of each part after each generated token: [new tokens] each. */
export function kvTimeline({ memory: { timeline } }: Cell): Record<KvPart, number[]> {
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

/** Mean bytes of each part over the request's tokens. */
export function kvMeans(cell: Cell): Record<KvPart, number> {
  const timeline = kvTimeline(cell);
  return Object.fromEntries(KV_PARTS.map((part) => [part, mean(timeline[part])])) as Record<KvPart, number>;
}

/** Mean bytes that only these sequences can use, and of these the ones that hold nothing. */
export function kvReserved(cell: Cell): { reserved: number; wasted: number } {
  const { used, later, internal, external } = kvMeans(cell);
  return { reserved: used + later + internal, wasted: later + internal + external };
}
