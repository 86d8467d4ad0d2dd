/** Lines of block characters that draw a series in a terminal. */
import { median } from "../measure/statistics/statistics.ts";

const BLOCKS = [..."▁▂▃▄▅▆▇█"];

/**
 * Draws values as blocks from zero to `most`, each block the median of the values that it stands for.
 *
 * @param values At least one number, none negative.
 * @param most Value of the tallest block, positive.
 * @param width Most columns. Default: 48.
 */
export function sparkline(values: readonly number[], most: number, width = 48): string {
  const columns = Math.min(width, values.length);
  return Array.from({ length: columns }, (_, i) => {
    const [from, to] = [i, i + 1].map((edge) => Math.round((edge * values.length) / columns));
    const height = median(values.slice(from, to)) / most;
    return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(height * BLOCKS.length))];
  }).join("");
}
