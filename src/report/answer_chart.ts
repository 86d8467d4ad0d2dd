/** The answer of a bench result as one picture: its numbers, each above the chart that shows it. */
import type { BenchResult } from "../measure/record/result.ts";
import { answersOf } from "./answer.ts";
import { FONT_FAMILY, loadCanvas } from "./canvas.ts";
import { figuresOf } from "./figures/all.ts";
import { drawFigure, PRINT, whiteCanvas } from "./png.ts";

const WIDTH = 1600;
const HEIGHT = 480;
const MARGIN = 32;
const GAP = 36;
/** Top of the charts, in layout pixels. */
const CHARTS = 150;

/**
 * Draws the answer as a PNG with a white background, in English.
 *
 * @param options.pixelRatio Pixels per layout pixel; the layout is 1600 × 480. Default: 2, for print.
 * @throws {KvbenchError} If permissions are missing, or the canvas cannot be loaded.
 */
export async function drawAnswer(
  result: BenchResult,
  { pixelRatio = 2 }: { readonly pixelRatio?: number } = {},
): Promise<Uint8Array> {
  const kit = await loadCanvas();
  const { canvas, ctx } = whiteCanvas(kit, { width: WIDTH, height: HEIGHT, pixelRatio });
  const answers = answersOf(result), figures = figuresOf(result);
  const width = (WIDTH - 2 * MARGIN - GAP * (answers.length - 1)) / answers.length;
  answers.forEach(({ value, meaning, figure: id }, i) => {
    const x = MARGIN + i * (width + GAP);
    ctx.fillStyle = PRINT.ink;
    ctx.font = `600 40px "${FONT_FAMILY}"`;
    ctx.fillText(value, x, 60);
    ctx.font = `17px "${FONT_FAMILY}"`;
    const lines = linesOf(meaning, (text) => ctx.measureText(text).width <= width);
    lines.forEach((line, n) => ctx.fillText(line, x, 90 + 23 * n));
    const figure = figures.find((each) => each.id === id)!;
    const size = { width, height: HEIGHT - CHARTS - 12 };
    const chart = drawFigure(kit, figure, { ...size, pixelRatio, title: figure.title, legend: true });
    ctx.drawImage(chart, x, CHARTS, size.width, size.height);
  });
  return await canvas.encode("png");
}

/** Breaks a text into lines that fit. */
function linesOf(text: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
