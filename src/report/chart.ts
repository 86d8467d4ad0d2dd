/**
 * The chart of one bench result: five panels under a title, composed into one PNG. It lays out; what a panel shows
 * stands in `panels.ts`, and what draws it comes from `canvas.ts`.
 *
 * @module
 */

import type { ChartConfiguration, ChartItem } from "npm:chart.js@4.6.1";
import { overviewCells } from "../measure/overview.ts";
import type { BenchResult } from "../measure/result.ts";
import { type CanvasKit, chartPermissions, FONT_FAMILY, loadCanvas } from "./canvas.ts";
import { saySettings } from "./labels.ts";
import { FAINT, INK, itlPanel, kvPanel, latencyPanel, memoryPanel, STRATEGY_COLOURS } from "./panels.ts";
import { formatCount } from "./units.ts";

export { chartPermissions };

const WIDTH = 1600;
const HEIGHT = 1000;
const MARGIN = 32;

/** Where a panel stands, in layout pixels. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws `result` as a PNG with a white background: latency over context, median latencies, peak memory with and
 * without weights, and K/V memory used and wasted.
 *
 * @param options.pixelRatio Pixels per layout pixel; the layout is 1600 × 1000. 2 if not given, for print.
 * @returns The bytes of the PNG.
 * @throws {KvbenchError} If {@linkcode chartPermissions} are missing, or the canvas can't be loaded.
 */
export async function drawCharts(
  result: BenchResult,
  options: { readonly pixelRatio?: number } = {},
): Promise<Uint8Array> {
  const { pixelRatio = 2 } = options;
  const kit = await loadCanvas();
  const canvas = kit.createCanvas(WIDTH * pixelRatio, HEIGHT * pixelRatio);
  const ctx = canvas.getContext("2d");
  ctx.scale(pixelRatio, pixelRatio);
  ctx.fillStyle = "#FFFFFF";
  ctx.fillRect(0, 0, WIDTH, HEIGHT);

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
    write(strategy, legend, 50, WIDTH, "600 17px", INK);
    legend -= 26;
    ctx.fillStyle = STRATEGY_COLOURS[strategy];
    ctx.fillRect(legend, 36, 17, 17);
    legend -= 24;
  }
  write(titleOf(result), MARGIN, 52, legend - MARGIN, "600 27px", INK);
  write(subtitleOf(result), MARGIN, 82, WIDTH - 2 * MARGIN, "17px", FAINT);
  write(footerOf(result), MARGIN, HEIGHT - 20, WIDTH - 2 * MARGIN, "14px", FAINT);

  for (const [config, box] of panels(result)) {
    const panel = drawPanel(kit, config, box, pixelRatio);
    ctx.drawImage(panel, box.x, box.y, box.width, box.height);
  }
  return await canvas.encode("png");
}

/** The panels: two in the upper row, three in the lower. */
function panels(result: BenchResult): [ChartConfiguration, Box][] {
  const upper = { y: 108, height: 440 };
  const lower = { y: 568, height: 390 };
  const third = Math.floor((WIDTH - 2 * MARGIN - 40) / 3);
  // The casts widen ChartConfiguration<"line"> and <"bar"> to the union of all types, of which they are members.
  return [
    [itlPanel(result) as ChartConfiguration, { x: MARGIN, width: 850, ...upper }],
    [latencyPanel(result) as ChartConfiguration, {
      x: MARGIN + 870,
      width: WIDTH - 2 * MARGIN - 870,
      ...upper,
    }],
    [memoryPanel(result, "with") as ChartConfiguration, { x: MARGIN, width: third, ...lower }],
    [memoryPanel(result, "without") as ChartConfiguration, {
      x: MARGIN + third + 20,
      width: third,
      ...lower,
    }],
    [kvPanel(result) as ChartConfiguration, { x: MARGIN + 2 * (third + 20), width: third, ...lower }],
  ];
}

function drawPanel(
  { Chart, createCanvas }: CanvasKit,
  config: ChartConfiguration,
  box: Box,
  pixelRatio: number,
) {
  const canvas = createCanvas(box.width, box.height);
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
  const kind = adapter.software ? "software adapter" : "hardware adapter";
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
    const said = saySettings(cell.settings, ["block_size", "growth", "kv_capacity_tokens"]);
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

/** `text` with "?" for what the Latin font has no glyph of. */
function drawable(text: string): string {
  return text.replace(/[^\u0020-\u007e\u00a0-\u00ff\u2013\u2019]/gu, "?");
}
