/**
 * What `bench` makes of a result beside the JSON: the chart.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { BenchResult } from "../measure/result.ts";
import { chartPermissions, drawCharts } from "../report/chart.ts";
import { writeWhole } from "../report/write.ts";

/** Draws the chart beside the result at `path`, or says why not. */
export async function saveReports(
  path: string,
  result: BenchResult,
  say: (text: string) => void,
): Promise<void> {
  const missing = await chartPermissions();
  if (missing.length > 0) return say(`Chart: not drawn, that needs ${missing.join(" ")}`);
  let png: Uint8Array;
  try {
    png = await drawCharts(result);
  } catch (error) {
    // The canvas is a native package that may not be at hand, offline for example; the result is, and is saved.
    if (error instanceof KvbenchError) return say(`Chart: not drawn. ${error.message}`);
    throw error;
  }
  const chart = path.replace(/\.json$/, "") + ".png";
  await writeWhole(chart, png);
  say(`Chart:  ${chart}`);
}
