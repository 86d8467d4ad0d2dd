/**
 * The overview of one bench result: five charts under a title in one PNG. Owns the layout; `figures` says what a chart
 * shows, and `png.ts` draws it.
 */
import { sayKind } from "./adapter_kind.ts";
import { overviewCells } from "../measure/findings/overview.ts";
import type { BenchResult } from "../measure/record/result.ts";
import { FONT_FAMILY, loadCanvas } from "./canvas.ts";
import type { Figure } from "./figures/figure.ts";
import { perTokenFigure, timesFigures } from "./figures/latency.ts";
import { kvFigure, peakFigure } from "./figures/memory.ts";
import { pagingGainFigure } from "./figures/paging_gain.ts";
import { colourOf } from "./figures/strategy_line.ts";
import { optionKeys, saySettings } from "./labels.ts";
import { drawFigure, PRINT, whiteCanvas } from "./png.ts";
import { formatCount } from "./units.ts";

const WIDTH = 1600;
const HEIGHT = 1000;
const MARGIN = 32;

/** A panel's place, in layout pixels. */
type Box = Readonly<Record<"x" | "y" | "width" | "height", number>>;

/**
 * Draws `result` as a PNG with a white background: latency over context, median latencies, peak memory with and
 * without weights, and K/V memory used and wasted.
 *
 * @param options.pixelRatio Pixels per layout pixel; the layout is 1600 × 1000. Default: 2, for print.
 * @returns The bytes of the PNG.
 * @throws {KvbenchError} If permissions are missing, or the canvas cannot be loaded.
 */
export async function drawCharts(
  result: BenchResult,
  { pixelRatio = 2 }: { readonly pixelRatio?: number } = {},
): Promise<Uint8Array> {
  const kit = await loadCanvas();
  const { canvas, ctx } = whiteCanvas(kit, { width: WIDTH, height: HEIGHT, pixelRatio });

  /** Writes `text` at (x, y), shortened in the middle to at most `room` layout pixels. */
  const write = (text: string, x: number, y: number, room: number, font: string, colour: string) => {
    ctx.font = `${font} "${FONT_FAMILY}"`;
    ctx.fillStyle = colour;
    let shown = text;
    for (let cut = 1; ctx.measureText(shown).width > room && cut < text.length; cut++) {
      const kept = text.length - cut;
      shown = `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
    }
    ctx.fillText(shown, x, y);
  };

  let legend = WIDTH - MARGIN;
  for (const { strategy } of overviewCells(result).toReversed()) {
    ctx.font = `600 17px "${FONT_FAMILY}"`;
    legend -= ctx.measureText(strategy).width;
    write(strategy, legend, 50, WIDTH, "600 17px", PRINT.ink);
    legend -= 26;
    ctx.fillStyle = colourOf(strategy).light;
    ctx.fillRect(legend, 36, 17, 17);
    legend -= 24;
  }
  write(titleOf(result), MARGIN, 52, legend - MARGIN, "600 27px", PRINT.ink);
  write(subtitleOf(result), MARGIN, 82, WIDTH - 2 * MARGIN, "17px", PRINT.faint);
  write(footerOf(result), MARGIN, HEIGHT - 20, WIDTH - 2 * MARGIN, "14px", PRINT.faint);

  for (const [letter, figure, box] of panels(result)) {
    const title = `${letter}${figure.title}`;
    // Strategies are named once, above all.
    const legend = figure.kind === "bars" && figure.stacked;
    const panel = drawFigure(kit, figure, { ...box, pixelRatio, title, legend });
    ctx.drawImage(panel, box.x, box.y, box.width, box.height);
  }
  return await canvas.encode("png");
}

/** The panels: latencies in the upper row, memory and what it serves in the lower. */
function panels(result: BenchResult): [title: string, figure: Figure, box: Box][] {
  const upper = { y: 108, height: 440 };
  const lower = { y: 568, height: 390 };
  const gain = pagingGainFigure(result);
  const lowerFigures = [
    peakFigure(result, "with"),
    peakFigure(result, "without"),
    { ...kvFigure(result), title: "K/V memory, mean" }, // there is room for no more
    ...(gain ? [gain] : []),
  ];
  const width = Math.floor((WIDTH - 2 * MARGIN - 20 * (lowerFigures.length - 1)) / lowerFigures.length);
  const perToken = perTokenFigure({ ...result, cells: overviewCells(result) });
  const times = timesFigures(result), each = Math.floor(upper.height / times.length);
  const right = WIDTH - 2 * MARGIN - 870;
  return [
    ...(perToken ? [["(a) ", perToken, { x: MARGIN, width: 850, ...upper }] as [string, Figure, Box]] : []),
    ...times.map((figure, i): [string, Figure, Box] => [
      i === 0 ? "(b) " : "",
      figure,
      { x: MARGIN + 870, width: right, y: upper.y + i * each, height: each },
    ]),
    ...lowerFigures.map((figure, i): [string, Figure, Box] => [
      `(${"cdef"[i]}) `,
      figure,
      { x: MARGIN + i * (width + 20), width, ...lower },
    ]),
  ];
}

function titleOf({ model }: BenchResult): string {
  const parameters = model.n_parameters >= 1e6
    ? `${(model.n_parameters / 1e6).toFixed(model.n_parameters < 1e8 ? 1 : 0)} M`
    : formatCount(model.n_parameters);
  return drawable(
    `${model.name}: GPT-2 with ${parameters} parameters, ${model.n_layer} layers of ${model.n_embd}`,
  );
}

function subtitleOf(result: BenchResult): string {
  const { environment: { adapter } } = result;
  const { prompt_tokens, new_tokens, batch } = overviewCells(result)[0]!.settings;
  const kind = sayKind(adapter, "hardware adapter", "software adapter");
  return drawable(
    `${prompt_tokens} prompt + ${new_tokens} new ${new_tokens === 1 ? "token" : "tokens"}, ` +
      `${batch === 1 ? "" : `batch ${batch}, `}greedy  ·  ` +
      `${adapter.description || adapter.vendor || "unnamed"} (${kind})`,
  );
}

function footerOf(result: BenchResult): string {
  const { model, environment, created } = result;
  const cells = overviewCells(result);
  const runs = cells[0]!.e2e_ms.samples.length;
  const settings = cells.flatMap((cell) => {
    const said = saySettings(cell.settings, optionKeys([cell]));
    return said === "" ? [] : [`${cell.strategy} ${said}`];
  });
  return drawable([
    runs === 1 ? "1 run" : `median of ${runs} runs, whiskers are 95 % confidence intervals`,
    ...settings,
    `weights ${model.weights_dtype}, K/V ${cells[0]!.settings.kv_dtype}`,
    `kvbench ${environment.kvbench}, Deno ${environment.deno}`,
    created.slice(0, 16).replace("T", " ") + " UTC",
  ].join("  ·  "));
}

/** Replaces characters for which the Latin font has no glyph by "?". */
function drawable(text: string): string {
  return text.replace(/[^\u0020-\u007e\u00a0-\u00ff\u2013\u2019]/gu, "?");
}
