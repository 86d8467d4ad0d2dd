/**
 * Lengths of real requests, from a CSV file: a column `prompt_tokens`, a column `output_tokens`, and perhaps
 * `arrival_ms`; or the columns of BurstGPT (Wang et al. 2024, https://github.com/HPMLL/BurstGPT): `Request tokens`,
 * `Response tokens`, and `Timestamp` in seconds. Only parsing.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import type { RequestLengths } from "./lengths.ts";

/** One request of a file. */
export interface RecordedRequest extends RequestLengths {
  /** When it comes, in ms from the first one's time; absent where the file doesn't say. */
  readonly arrivalMs?: number;
}

const PROMPT = ["prompt_tokens", "request tokens"];
const OUTPUT = ["output_tokens", "response tokens"];
const ARRIVAL: Readonly<Record<string, number>> = { arrival_ms: 1, timestamp: 1000 };

/**
 * Reads the requests of a CSV text.
 *
 * @param source Where it comes from, for messages.
 * @throws {KvbenchError} Naming the line that is wrong. Requests without an output, which BurstGPT notes for
 * failures, are left out.
 */
export function parseLengths(text: string, source: string): RecordedRequest[] {
  const [header = "", ...lines] = text.split(/\r?\n/);
  const names = header.split(",").map((name) => name.trim().toLowerCase());
  const prompt = names.findIndex((name) => PROMPT.includes(name));
  const output = names.findIndex((name) => OUTPUT.includes(name));
  const arrival = names.findIndex((name) => Object.hasOwn(ARRIVAL, name));
  if (prompt < 0 || output < 0) {
    throw new KvbenchError(
      `Cannot read ${source}: its columns are "${
        header.slice(0, 80)
      }", prompt_tokens and output_tokens were wanted`,
    );
  }
  const requests: RecordedRequest[] = [];
  let firstMs: number | undefined, lastMs = 0;
  lines.forEach((line, i) => {
    if (line.trim() === "") return;
    const cells = line.split(",");
    const wrong = (column: number, wanted: string) =>
      new KvbenchError(
        `Cannot read ${source}: line ${i + 2} has ${JSON.stringify(cells[column] ?? null)} as ` +
          `${names[column]}, ${wanted} was wanted`,
      );
    const promptTokens = numberIn(cells[prompt]), newTokens = numberIn(cells[output]);
    if (!Number.isInteger(promptTokens) || promptTokens < 1) throw wrong(prompt, "a whole number from 1 on");
    if (!Number.isInteger(newTokens) || newTokens < 0) throw wrong(output, "a whole number from 0 on");
    if (newTokens === 0) return;
    if (arrival < 0) return void requests.push({ promptTokens, newTokens });
    const ms = numberIn(cells[arrival]) * ARRIVAL[names[arrival]!]!;
    if (!(ms >= lastMs)) {
      throw wrong(arrival, "a time not before the last one");
    }
    lastMs = ms;
    firstMs ??= ms;
    requests.push({ promptTokens, newTokens, arrivalMs: ms - firstMs });
  });
  if (requests.length === 0) throw new KvbenchError(`Cannot read ${source}: there is no request in it`);
  return requests;
}

/** The number in a cell; NaN where there is none. */
function numberIn(cell = ""): number {
  return cell.trim() === "" ? NaN : Number(cell);
}
