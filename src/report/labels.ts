/**
 * Labels of cells: the strategy, and the settings that differ among the cells shown together.
 *
 * @module
 */
import type { Settings } from "../measure/record/cell.ts";
import type { CellPlan } from "../measure/run/grid.ts";

/** How each setting is said. */
const SAID: { readonly [K in keyof Settings]: (value: NonNullable<Settings[K]>) => string } = {
  prompt_tokens: (value) => `prompt ${value}`,
  new_tokens: (value) => `${value} new`,
  batch: (value) => `batch ${value}`,
  kv_dtype: (value) => `K/V ${value}`,
  block_size: (value) => `block ${value}`,
  growth: (value) => value,
  kv_capacity_tokens: (value) => `capacity ${value}`,
};

/** Names of the settings, in the order in which they are said. */
export const SETTING_KEYS: readonly (keyof Settings)[] = Object.keys(SAID) as (keyof Settings)[];

/** The settings that differ among cells: among all of them, or among those of one strategy for its own settings. */
export function varyingSettings(cells: readonly CellPlan[]): (keyof Settings)[] {
  return SETTING_KEYS.filter((key) => {
    const values = new Set(cells.map(({ settings }) => settings[key]).filter((value) => value !== null));
    return values.size > 1;
  });
}

/** Settings in words, such as "prompt 64, batch 4"; those that don't concern a strategy are left out. */
export function saySettings(settings: Settings, keys: readonly (keyof Settings)[]): string {
  return keys.flatMap((key) => {
    const value = settings[key];
    return value === null ? [] : [(SAID[key] as (value: unknown) => string)(value)];
  }).join(", ");
}

/** Returns a label for each cell that differs from the others': "no-cache", or "paged, block 8". */
export function cellLabels(cells: readonly CellPlan[]): string[] {
  const varying = varyingSettings(cells);
  return cells.map(({ strategy, settings }) => {
    const said = saySettings(settings, varying);
    return said === "" ? strategy : `${strategy}, ${said}`;
  });
}
