/** The page and the chart that a measurement makes of its result beside the JSON. */
import { KvbenchError } from "../../../base/errors.ts";
import type { BenchResult } from "../../../measure/record/result.ts";
import type { Lang } from "../../../report/lang.ts";
import { chartPermissions } from "../../../report/canvas.ts";
import { drawCharts } from "../../../report/chart.ts";
import { reportPage } from "../../../report/page/page.ts";
import { writeWhole } from "../../../report/write.ts";
import { drawing } from "../../session/chart_package.ts";
import { withProgress } from "../../terminal/progress.ts";

/** Writes the page and draws the chart beside the result of `bench` at `path`, or says why there is none. */
export async function saveReports(
  path: string,
  result: BenchResult,
  { say, lang }: { readonly say: (text: string) => void; readonly lang: Lang },
): Promise<void> {
  const page = reportPage([result], { lang });
  await savePageAndChart(path, { page, draw: () => drawCharts(result) }, say);
}

/** Writes a page and draws a chart beside the result at `path`, or says why there is none. */
export async function savePageAndChart(
  path: string,
  { page, draw }: { readonly page: string; readonly draw: () => Promise<Uint8Array> },
  say: (text: string) => void,
): Promise<void> {
  const base = path.replace(/\.json$/, "");
  await writeWhole(`${base}.html`, page);
  say(`Report: ${base}.html`);
  const missing = chartPermissions();
  if (missing.length > 0) return say(`Chart: not drawn, that needs ${missing.join(" ")}`);
  let png: Uint8Array;
  try {
    png = await withProgress((bar) => {
      bar.start("Drawing the chart");
      return drawing(draw, (line) => bar.say(line));
    });
  } catch (error) {
    // The canvas is a native package that may not be at hand, offline for example; the result is, and is saved.
    if (error instanceof KvbenchError) return say(`Chart: not drawn. ${error.message}`);
    throw error;
  }
  await writeWhole(`${base}.png`, png);
  say(`Chart:  ${base}.png`);
}
