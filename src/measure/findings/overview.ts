/** The cells that an overview shows of a sweep. */
import { findStrategy } from "../../kv/registry.ts";
import type { Cell } from "../record/cell.ts";
import type { BenchResult } from "../record/result.ts";

/** Returns the first cell of each strategy in the group with the longest context. */
export function overviewCells({ cells }: Pick<BenchResult, "cells">): Cell[] {
  const length = ({ settings }: Cell) => settings.prompt_tokens + settings.new_tokens;
  const longest = cells.reduce<Cell | undefined>(
    (best, cell) => best === undefined || length(cell) > length(best) ? cell : best,
    undefined,
  );
  const group = cells.filter((cell) => cell.group === longest?.group);
  return group.filter((cell, i) => group.findIndex(({ strategy }) => strategy === cell.strategy) === i);
}

/** Returns the cell that others are compared with: the first one whose strategy keeps nothing. */
export function baselineOf(cells: readonly Cell[]): Cell | undefined {
  return cells.find(({ strategy }) => findStrategy(strategy)?.traits.keeps === "nothing");
}

/** Returns a cell and those that differ from it only in the lengths of prompt and answer. */
export function lengthsOf(cell: Cell, cells: readonly Cell[]): Cell[] {
  const key = ({ strategy, settings }: Cell) =>
    JSON.stringify([strategy, { ...settings, prompt_tokens: 0, new_tokens: 0 }]);
  return cells.filter((other) => key(other) === key(cell));
}
