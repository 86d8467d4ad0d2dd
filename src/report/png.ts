/** Single charts as PNG files, for papers. */
import type { ChartItem } from "npm:chart.js@4.6.1";
import { type CanvasKit, FONT_FAMILY, loadCanvas } from "./canvas.ts";
import { chartConfig, type DrawOptions } from "./figures/chart_config.ts";
import type { Figure } from "./figures/figure.ts";
import { LIGHT, type Theme } from "./figures/palette.ts";

/** The theme of charts on paper. */
export const PRINT: Theme = { ...LIGHT, font: `"${FONT_FAMILY}"` };

const WIDTH = 800;
const HEIGHT = 450;
/** Height of a row of dots, and of what is above and below the rows. */
const ROW = 52;
const AROUND_ROWS = 150;

/** Size in layout pixels, pixels per layout pixel, and texts of a drawn figure. */
interface CanvasOptions extends Pick<DrawOptions, "title" | "legend"> {
  readonly width: number;
  readonly height: number;
  readonly pixelRatio: number;
}

/**
 * Draws one figure with a white background.
 *
 * @param options.pixelRatio Pixels per layout pixel; the layout is 800 × 450, higher where many rows need it. Default: 3, for print.
 * @throws {KvbenchError} If permissions are missing, or the canvas cannot be loaded.
 */
export async function figurePng(
  figure: Figure,
  { pixelRatio = 3 }: { readonly pixelRatio?: number } = {},
): Promise<Uint8Array> {
  const kit = await loadCanvas();
  const rows = figure.kind === "dots" ? AROUND_ROWS + ROW * figure.categories.length : 0;
  const size = { width: WIDTH, height: Math.max(HEIGHT, rows), pixelRatio };
  const { canvas, ctx } = whiteCanvas(kit, size);
  const image = drawFigure(kit, figure, { ...size, title: figure.title, legend: true });
  ctx.drawImage(image, 0, 0, size.width, size.height);
  return await canvas.encode("png");
}

/** Makes a white canvas, and a context that takes layout pixels. */
export function whiteCanvas(
  { createCanvas }: CanvasKit,
  { width, height, pixelRatio }: Pick<CanvasOptions, "width" | "height" | "pixelRatio">,
) {
  const canvas = createCanvas(width * pixelRatio, height * pixelRatio), ctx = canvas.getContext("2d");
  ctx.scale(pixelRatio, pixelRatio);
  ctx.fillStyle = PRINT.paper;
  ctx.fillRect(0, 0, width, height);
  return { canvas, ctx };
}

/** Draws one figure on a canvas of its own, without a background. */
export function drawFigure({ Chart, createCanvas }: CanvasKit, figure: Figure, options: CanvasOptions) {
  const { width, height, pixelRatio, title, legend } = options;
  const canvas = createCanvas(width, height);
  const config = chartConfig(figure, { theme: PRINT, fontSize: 13, title, legend, interactive: false });
  // Chart.js is typed for the DOM's canvas; it uses only parts of it that this canvas has too.
  const chart = new Chart(canvas as unknown as ChartItem, {
    ...config,
    options: { ...config.options, devicePixelRatio: pixelRatio },
  });
  const image = createCanvas(canvas.width, canvas.height);
  image.getContext("2d").drawImage(canvas, 0, 0);
  chart.destroy(); // clears its canvas
  return image;
}
