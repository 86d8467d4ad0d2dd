/**
 * Charts as PNG files, for papers: one a chart.
 *
 * @module
 */
import type { ChartItem } from "npm:chart.js@4.6.1";
import { type CanvasKit, FONT_FAMILY, loadCanvas } from "./canvas.ts";
import { chartConfig } from "./figures/chart_config.ts";
import type { Figure } from "./figures/figure.ts";
import { LIGHT, type Theme } from "./figures/palette.ts";

/** What prints well. */
export const PRINT: Theme = { ...LIGHT, font: `"${FONT_FAMILY}"` };

const WIDTH = 800;
const HEIGHT = 450;

/** How a figure is drawn on a canvas. */
export interface CanvasOptions {
  /** In layout pixels. */
  readonly width: number;
  /** In layout pixels. */
  readonly height: number;
  /** Pixels per layout pixel. */
  readonly pixelRatio: number;
  /** Written above; none if absent. */
  readonly title?: string;
  /** Whether series are named. */
  readonly legend: boolean;
}

/**
 * Draws one figure with a white background.
 *
 * @param options.pixelRatio Pixels per layout pixel; the layout is 800 × 450. 3 if not given, for print.
 * @throws {KvbenchError} If permissions are missing, or the canvas can't be loaded.
 */
export async function figurePng(
  figure: Figure,
  options: { readonly pixelRatio?: number } = {},
): Promise<Uint8Array> {
  const { pixelRatio = 3 } = options;
  const kit = await loadCanvas();
  const canvas = kit.createCanvas(WIDTH * pixelRatio, HEIGHT * pixelRatio);
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = PRINT.paper;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const sizes = { width: WIDTH, height: HEIGHT, pixelRatio, title: figure.title, legend: true };
  ctx.drawImage(drawFigure(kit, figure, sizes), 0, 0);
  return await canvas.encode("png");
}

/** Draws one figure on a canvas of its own, without a background. */
export function drawFigure({ Chart, createCanvas }: CanvasKit, figure: Figure, options: CanvasOptions) {
  const { width, height, pixelRatio, title, legend } = options;
  const canvas = createCanvas(width, height);
  const config = chartConfig(figure, { theme: PRINT, fontSize: 13, title, legend, interactive: false });
  // Chart.js is typed for the DOM's canvas; of that it uses here only what this canvas has too.
  const chart = new Chart(canvas as unknown as ChartItem, {
    ...config,
    options: { ...config.options, devicePixelRatio: pixelRatio },
  });
  const image = createCanvas(canvas.width, canvas.height);
  image.getContext("2d").drawImage(canvas, 0, 0);
  chart.destroy(); // clears its canvas
  return image;
}
