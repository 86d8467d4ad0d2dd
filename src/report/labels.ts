/** Labels of cells: the strategy, and the settings that differ among the cells shown together. */
import { strategyOptions } from "../kv/registry.ts";
import type { KvValue } from "../kv/strategy_def.ts";
import type { Settings } from "../measure/record/cell.ts";
import { inEnglish, inWords, type Say } from "./lang.ts";
import type { CellPlan } from "../measure/run/grid.ts";

/** Words for each setting of the work. */
const SAID: Readonly<Record<string, (value: KvValue, t: Say) => string>> = {
  prompt_tokens: (value, t) => t`prompt ${String(value)}`,
  new_tokens: (value, t) => t`${String(value)} new`,
  batch: (value, t) => t`batch ${String(value)}`,
  kv_dtype: (value) => `K/V ${value}`,
};

/** Names of the settings of the work, in the order in which they are said. */
export const WORK_KEYS: readonly string[] = Object.keys(SAID);

/** Returns the names of the options that cells have: in the order of the strategies, then those that are not known. */
export function optionKeys(cells: readonly Pick<CellPlan, "settings">[]): string[] {
  const keys = new Set([
    ...strategyOptions().keys(),
    ...cells.flatMap(({ settings }) => Object.keys(settings)),
  ]);
  return [...keys].filter((key) =>
    !WORK_KEYS.includes(key) && cells.some(({ settings }) => (settings[key] ?? null) !== null)
  );
}

/** Returns the settings that differ among cells; an option, among those that have it. */
export function varyingSettings(cells: readonly CellPlan[]): string[] {
  return [...WORK_KEYS, ...optionKeys(cells)].filter((key) => {
    const values = new Set(
      cells.map(({ settings }) => settings[key] ?? null).filter((value) => value !== null),
    );
    return values.size > 1;
  });
}

/** Says settings, such as "prompt 64, batch 4"; options that a strategy does not have are left out. */
export function saySettings(settings: Settings, keys: readonly string[], t: Say = inEnglish): string {
  return keys.flatMap((key) => {
    const value = settings[key] ?? null;
    if (value === null) return [];
    const label = strategyOptions().get(key)?.label ?? key.replaceAll("_", " ");
    return [SAID[key]?.(value, t) ?? `${inWords(label, t)} ${value}`.trim()];
  }).join(t`, `);
}

/** Returns a label for each cell that differs from the others'. */
export function cellLabels(cells: readonly CellPlan[], t: Say = inEnglish): string[] {
  const varying = varyingSettings(cells);
  return cells.map(({ strategy, settings }) => {
    const said = saySettings(settings, varying, t);
    return said === "" ? strategy : t`${strategy}, ${said}`;
  });
}
