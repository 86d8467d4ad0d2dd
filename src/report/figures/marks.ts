/** Marks that Chart.js does not draw: intervals as whiskers, and text beside bars and points. */
import type { Plugin } from "npm:chart.js@4.6.1";
import type { Interval } from "../../measure/statistics/bootstrap.ts";
import type { Figure, LineFigure } from "./figure.ts";
import { cssOf, type Theme } from "./palette.ts";

/** Gap between a bar and its text, in pixels. */
const GAP = 7;
/** Radius of a point, in pixels. */
export const POINT_RADIUS = 4;

/** The part of a 2D context that is used here, for which Deno has no type. */
interface Context {
  font: string;
  fillStyle: string;
  textAlign: string;
  textBaseline: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  strokeStyle: string;
  lineWidth: number;
  lineJoin: string;
  strokeText(text: string, x: number, y: number): void;
  measureText(text: string): { readonly width: number };
}

/** The part of a scale that is used here. */
interface Scale {
  getPixelForValue(value: number): number;
}

/** Draws the marks of `figure` over its bars or lines. */
export function marks(figure: Figure, theme: Theme, fontSize: number): Plugin {
  return {
    id: "marks",
    afterDatasetsDraw(chart) {
      const ctx: Context = chart.ctx;
      ctx.font = `${fontSize}px ${theme.font}`;
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      const visible = (dataset: number) => chart.isDatasetVisible(dataset);
      const elements = (dataset: number) => chart.getDatasetMeta(dataset).data;
      const write = (text: string, x: number, y: number) => {
        ctx.fillStyle = theme.ink;
        ctx.fillText(text, x, y);
      };
      const taken: Box[] = figure.kind === "lines"
        ? pointsOf(figure, (i) => visible(i) ? elements(i) : [])
        : [];
      if (figure.kind === "dots") {
        const { top, bottom } = chart.chartArea;
        ctx.fillStyle = theme.faint;
        ctx.fillRect(chart.scales["x"]!.getPixelForValue(figure.rule) - 0.75, top, 1.5, bottom - top);
      }
      figure.series.forEach((series, dataset) => {
        if (!visible(dataset)) return;
        elements(dataset).forEach((element, index) => {
          const interval = series.intervals?.[index] ?? null;
          const text = series.labels?.[index];
          if (figure.kind !== "lines") {
            let end = element.x;
            ctx.fillStyle = theme.ink;
            if (interval) end = Math.max(end, whisker(ctx, chart.scales["x"]!, interval, element.y, "x"));
            if (text !== undefined && figure.kind === "bars") write(text, end + GAP, element.y);
            else if (text !== undefined) { // above, where no interval is
              write(text, element.x - ctx.measureText(text).width / 2, element.y - fontSize - 2);
            }
            return;
          }
          ctx.fillStyle = cssOf(series.colour, theme);
          const scale = chart.scales["right" in series && series.right ? "right" : "y"]!;
          if (interval) whisker(ctx, scale, interval, element.x, "y");
          if (text === undefined) return;
          const size = { width: ctx.measureText(text).width, height: 1.1 * fontSize };
          const box = freeBox(element, size, { taken, area: chart.chartArea });
          if (text === "" || box === undefined) return; // the tooltip and the table show it
          taken.push(box);
          // A line that passes below stops around the text.
          Object.assign(ctx, { strokeStyle: theme.paper, lineWidth: 4, lineJoin: "round" });
          ctx.strokeText(text, box.x, box.y);
          write(text, box.x, box.y);
        });
      });
      if (figure.kind !== "bars" || figure.ends === undefined) return;
      const bars = figure.series.flatMap((_, dataset) => visible(dataset) ? [elements(dataset)] : []);
      figure.ends.forEach((text, index) => {
        const stack = bars.flatMap((data) => data[index] ?? []).filter(({ x }) => Number.isFinite(x));
        const whiskers = figure.series.flatMap(({ intervals }) => {
          const interval = intervals?.[index] ?? null;
          return interval ? [chart.scales["x"]!.getPixelForValue(interval[1])] : [];
        });
        const end = Math.max(...stack.map(({ x }) => x), ...whiskers);
        if (stack.length > 0) write(text, end + GAP, stack[0]!.y);
      });
    },
  };
}

/** The place of a text: its left, its middle, its size. */
type Box = Readonly<Record<"x" | "y" | "width" | "height", number>>;

/** A place on the canvas. */
type Point = Readonly<Record<"x" | "y", number>>;
/** Edges of a chart, in pixels. */
type Area = Readonly<Record<"left" | "right" | "top" | "bottom", number>>;

/** Boxes around the points that are drawn. */
function pointsOf({ series }: LineFigure, elements: (dataset: number) => readonly Point[]): Box[] {
  return series.flatMap(({ marks }, i) =>
    marks === "none" ? [] : elements(i).map(({ x, y }) => ({
      x: x - POINT_RADIUS,
      y,
      width: 2 * POINT_RADIUS,
      height: 2 * POINT_RADIUS,
    }))
  );
}

/** Finds a place for a text beside a point, within the chart, where it overlaps nothing. */
function freeBox(
  point: Point,
  { width, height }: Pick<Box, "width" | "height">,
  { taken, area }: { readonly taken: readonly Box[]; readonly area: Area },
): Box | undefined {
  const overlaps = (a: Box, b: Box) =>
    a.x < b.x + b.width + 2 && b.x < a.x + a.width + 2 &&
    Math.abs(a.y - b.y) < (a.height + b.height) / 2;
  const isInside = ({ x, y }: Box) =>
    x >= area.left && x + width <= area.right && y - height / 2 >= area.top && y + height / 2 <= area.bottom;
  const columns = [point.x + GAP, point.x - GAP - width, point.x - width / 2];
  return [0, -1, 1].flatMap((lines) =>
    columns.map((x) => ({ x, y: point.y + lines * height, width, height }))
  )
    .find((box) => isInside(box) && !taken.some((other) => overlaps(box, other)));
}

/** Draws an interval along one axis at a pixel of the other; returns the pixel of its upper end. */
function whisker(ctx: Context, scale: Scale, [low, high]: Interval, at: number, along: "x" | "y"): number {
  const [from, to] = [scale.getPixelForValue(low), scale.getPixelForValue(high)];
  const bar = (a: number, b: number, thickness: number) => {
    const [start, length] = [Math.min(a, b), Math.abs(b - a)];
    if (along === "x") ctx.fillRect(start, at - thickness / 2, length, thickness);
    else ctx.fillRect(at - thickness / 2, start, thickness, length);
  };
  bar(from, to, 1.5);
  for (const end of [from, to]) bar(end - 0.75, end + 0.75, 8);
  return to;
}
