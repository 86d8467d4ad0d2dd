/** Names of policies in reports of serving simulations. */
import type { ServingEntry } from "../simulate/entry.ts";

/** A policy's entry with the name that tells it from the others. */
export type NamedEntry = ServingEntry & {
  readonly name: string;
  /** The name as a part of an anchor or a file's name. */
  readonly anchor: string;
};

/** Names entries: by their policies, and by the types of K and V where there are several. */
export function namedEntries(results: readonly ServingEntry[]): NamedEntry[] {
  const several = new Set(results.map(({ kv_dtype }) => kv_dtype)).size > 1;
  return results.map((entry) => {
    const name = several ? `${entry.policy} ${entry.kv_dtype}` : entry.policy;
    return { ...entry, name, anchor: name.replaceAll(/[^\w-]+/g, "-") };
  });
}
