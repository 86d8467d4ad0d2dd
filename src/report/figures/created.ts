/** Chart of the memory that each token's step creates on the GPU, beside the latency by position. */
import { overviewCells } from "../../measure/findings/overview.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { inEnglish, type Say } from "../lang.ts";
import { byteUnit } from "../units.ts";
import type { LineFigure } from "./figure.ts";
import { lineOf } from "./strategy_line.ts";

/** Charts bytes by context length, with buffers and splits in the table; nothing where the record does not tell. */
export function createdFigure(result: BenchResult, t: Say = inEnglish): LineFigure | undefined {
  const cells = overviewCells(result).flatMap(({ strategy, settings, memory: { timeline } }) => {
    const { created_bytes: bytes, created_buffers: buffers, splits } = timeline;
    if (bytes === null || buffers === null || splits === null || bytes.length < 2) return [];
    const rows = bytes.map((each, i) => [settings.prompt_tokens + i, each, buffers[i]!, splits[i]!] as const);
    return [{ strategy, rows: rows.slice(1) }];
  });
  if (cells.length === 0) return undefined;
  const most = Math.max(...cells.flatMap(({ rows }) => rows.map(([, bytes]) => bytes)));
  const unit = byteUnit(most), contexts = cells[0]!.rows.map(([n]) => n);
  return {
    kind: "lines",
    id: "created-per-token",
    title: t`Memory created per token`,
    caption:
      t`Bytes of the buffers and textures that each token's step creates on the GPU, whether they are freed
        again or not. The table has their number, and the splits of attention.`,
    x: {
      title: t`context (tokens)`,
      unit: t`tokens`,
      log: false,
      min: contexts[0]! - (contexts.length === 1 ? 1 : 0),
      max: contexts.at(-1)!,
    },
    y: { title: unit.name, unit: unit.name, log: false, min: 0, max: Math.max(most / unit.bytes, 1) },
    series: cells.map(({ strategy, rows }) => ({
      ...lineOf(strategy),
      points: rows.map(([n, bytes]) => [n, bytes / unit.bytes] as const),
      marks: rows.length === 1 ? "points" as const : "none" as const,
    })),
    table: {
      head: [
        t`context (tokens)`,
        ...cells.flatMap((
          { strategy },
        ) => [t`${strategy} (bytes)`, t`${strategy} (buffers)`, t`${strategy} (splits)`]),
      ],
      rows: contexts.map((n, i) => [n, ...cells.flatMap(({ rows }) => rows[i]!.slice(1))]),
    },
  };
}
