/**
 * Lengths of real requests, from a CSV file: a column `prompt_tokens`, a column `output_tokens`, and perhaps
 * `arrival_ms`; or the columns of BurstGPT (Wang et al. 2024, https://github.com/HPMLL/BurstGPT): `Request tokens`,
 * `Response tokens`, and `Timestamp` in seconds. Only parsing.
 */
import { KvbenchError } from "../base/errors.ts";
import type { RequestLengths } from "./lengths.ts";

const PROMPT = ["prompt_tokens", "request tokens"];
const OUTPUT = ["output_tokens", "response tokens"];
const ARRIVAL: Readonly<Record<string, number>> = { arrival_ms: 1, timestamp: 1000 };

/**
 * Reads the requests of a CSV text.
 *
 * @param source Name of the file, for messages.
 * @returns The requests with an output; BurstGPT records failures without one.
 * @throws {KvbenchError} Naming the line that is wrong.
 */
export function parseLengths(text: string, source: string): RequestLengths[] {
  const [header = "", ...lines] = text.split(/\r?\n/);
  const names = header.split(",").map((name) => name.trim().toLowerCase());
  const prompt = names.findIndex((name) => PROMPT.includes(name));
  const output = names.findIndex((name) => OUTPUT.includes(name));
  const arrival = names.findIndex((name) => Object.hasOwn(ARRIVAL, name));
  if (prompt < 0 || output < 0) {
    throw new KvbenchError(
      `Cannot read ${source}: its columns are "${
        header.slice(0, 80)
      }", expected prompt_tokens and output_tokens`,
    );
  }
  const requests: RequestLengths[] = [];
  let firstMs: number | undefined, lastMs = 0;
  lines.forEach((line, i) => {
    if (line.trim() === "") return;
    const cells = line.split(",");
    const wrong = (column: number, expected: string) =>
      new KvbenchError(
        `Cannot read ${source}: line ${i + 2} has ${JSON.stringify(cells[column] ?? null)} as ` +
          `${names[column]}, expected ${expected}`,
      );
    const promptTokens = numberIn(cells[prompt]), newTokens = numberIn(cells[output]);
    if (!Number.isInteger(promptTokens) || promptTokens < 1) throw wrong(prompt, "an integer of at least 1");
    if (!Number.isInteger(newTokens) || newTokens < 0) throw wrong(output, "an integer of at least 0");
    if (newTokens === 0) return;
    if (arrival < 0) return void requests.push({ promptTokens, newTokens });
    const ms = numberIn(cells[arrival]) * ARRIVAL[names[arrival]!]!;
    if (!(ms >= lastMs)) {
      throw wrong(arrival, "a time not before the previous one");
    }
    lastMs = ms;
    firstMs ??= ms;
    requests.push({ promptTokens, newTokens, arrivalMs: ms - firstMs });
  });
  if (requests.length === 0) throw new KvbenchError(`Cannot read ${source}: it has no request`);
  return requests;
}

/** Returns the number in a cell; NaN where there is none. */
function numberIn(cell = ""): number {
  return cell.trim() === "" ? NaN : Number(cell);
}
