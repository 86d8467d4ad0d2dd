/** Warnings about a result in words. */
import { type MachineWarning, type Warning, warningsOf } from "../measure/findings/warnings.ts";
import type { Cell } from "../measure/record/cell.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { inEnglish, type Say } from "./lang.ts";
import { oneLine } from "./wrap.ts";

/** Most cells that are named. */
const MOST = 4;

/** A caution. */
export interface Caution {
  /** The kind of its warning, or the adapter's. */
  readonly kind: Warning["kind"] | "OpenGL" | "software";
  readonly text: string;
}

/** Says what to know before a result's figures are believed; `name` gives a cell's label. */
export function cautionsOf(
  result: BenchResult,
  name: (cell: Cell) => string,
  t: Say = inEnglish,
): Caution[] {
  const { adapter } = result.environment;
  return [
    ...warningsOf(result).map((warning) => ({ kind: warning.kind, text: say(warning, name, t) })),
    ...(adapter.backend === "gl"
      ? [{
        kind: "OpenGL" as const,
        text: t`The adapter was reached through OpenGL, not Vulkan. Its speed can differ from Vulkan's.`,
      }]
      : []),
    ...(adapter.software ? [{ kind: "software" as const, text: sayOnCpu(adapter.description, t) }] : []),
  ];
}

/** Says that an adapter is no GPU. */
export function sayOnCpu(adapter: string, t: Say): string {
  return t`${oneLine(adapter)} computes on the CPU. These latencies and their ratios are not those of a GPU.`;
}

/** Says a warning about the machine. */
export function sayMachine(warning: MachineWarning, t: Say): string {
  if (warning.kind === "busy") {
    return t`The machine was busy when measuring began: ${
      warning.load.toFixed(1)
    } processes on ${warning.cpus} CPUs.`;
  }
  return t`The machine was not quiet: the interquartile range of the yardstick, a fixed piece of GPU work, is
    ${Math.round(100 * warning.spread)} % of its median.`;
}

function say(warning: Warning, name: (cell: Cell) => string, t: Say): string {
  if (warning.kind === "busy" || warning.kind === "unquiet") return sayMachine(warning, t);
  const { cells } = warning, named = cells.slice(0, MOST).map(name).join("; ");
  const names = cells.length > MOST ? t`${named} and ${cells.length - MOST} more` : named;
  switch (warning.kind) {
    case "drifted":
      return t`The later half of the runs differs from the earlier half: ${names}.`;
    case "outliers":
      return t`More than a tenth of the runs are severe outliers, which are kept: ${names}.`;
    case "rushed":
      return t`Time ran out (--max-seconds ${warning.maxSeconds}) before the total (E2E) was precise to
        ±${(100 * warning.ci).toFixed(1)} %: ${names}.`;
  }
}
