/**
 * The script of the report page: draws its charts in the colours that the reader's system asks for. `deno task page`
 * bundles it with Chart.js into `client.js.txt`; nothing else imports it.
 */
import type { Chart as AnyChart, ChartItem } from "npm:chart.js@4.6.1";
import { chartConfig } from "../figures/chart_config.ts";
import type { Figure } from "../figures/figure.ts";
import { DARK, LIGHT } from "../figures/palette.ts";
import { Chart } from "../figures/registered_chart.ts";
import { startGallery } from "./gallery_client.ts";

/** The part of a browser that is used here, for which Deno has no types. */
interface Browser {
  readonly document: {
    getElementById(id: string):
      | (ChartItem & { readonly textContent: string; closest(selector: string): unknown })
      | null;
    addEventListener(type: "toggle", listener: () => void, capture: true): void;
  };
  matchMedia(query: string): {
    readonly matches: boolean;
    addEventListener(type: "change", listener: () => void): void;
  };
  addEventListener(type: "beforeprint" | "afterprint", listener: () => void): void;
}

const { document, matchMedia, addEventListener } = globalThis as unknown as Browser;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const figures: Figure[] = JSON.parse(document.getElementById("figures")!.textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 40rem)");
/** Charts that are drawn, by id of their figures: those in results that are open. */
const charts = new Map<string, AnyChart>();

function draw(palette = dark.matches ? DARK : LIGHT): void {
  for (const chart of charts.values()) chart.destroy();
  charts.clear();
  drawOpen(palette);
}

/** Draws the charts that are not drawn yet. */
function drawOpen(palette = dark.matches ? DARK : LIGHT): void {
  const theme = { ...palette, font: FONT };
  const options = { theme, fontSize: narrow.matches ? 11 : 13, legend: true, interactive: true };
  for (const figure of figures) {
    const canvas = document.getElementById(`chart-${figure.id}`)!;
    if (charts.has(figure.id) || canvas.closest("details:not([open])") !== null) continue;
    charts.set(figure.id, new Chart(canvas, chartConfig(figure, options)));
  }
}

draw();
startGallery();
document.addEventListener("toggle", () => drawOpen(), true); // it does not bubble
for (const query of [dark, narrow]) query.addEventListener("change", () => draw());
addEventListener("beforeprint", () => draw(LIGHT));
addEventListener("afterprint", () => draw());
