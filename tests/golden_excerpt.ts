/**
 * Makes `src/check/golden.json`, the part of the golden logits that comes with the program, from `golden/tiny`:
 * `deno run --allow-read=tests/golden --allow-write=src/check tests/golden_excerpt.ts`.
 */
import { fileURLToPath } from "node:url";
import { EMBEDDED_FILES } from "../src/hub/embedded.ts";
import type { GoldenCase } from "./cli_support.ts";

const CASES = ["one", "once", "sea", "seed"];
const NEW_TOKENS = 16;
/** Of each prompt's logits, the largest and one of so many of the others. */
const LARGEST = 16, EVERY = 499;

/** The text of the excerpt. */
export async function excerpt(): Promise<string> {
  const cases: GoldenCase[] = JSON.parse(await read("cases.json", Deno.readTextFile));
  const lines = await Promise.all(CASES.map(async (name) => {
    const { ids, logits_file, greedy_ids = [] } = cases.find((each) => each.name === name)!;
    const logits = new Float32Array((await read(logits_file, Deno.readFile)).buffer);
    const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
    const chosen = order.filter((id, place) => place < LARGEST || id % EVERY === 0).sort((a, b) => a - b);
    return JSON.stringify({
      name,
      ids,
      greedy_ids: greedy_ids.slice(0, NEW_TOKENS),
      logits: chosen.map((id) => [id, logits[id]]),
    });
  }));
  const { sha256 } = EMBEDDED_FILES["model.safetensors"];
  return `{\n  "weights_sha256": "${sha256}",\n  "cases": [\n    ${lines.join(",\n    ")}\n  ]\n}\n`;
}

function read<T>(name: string, how: (path: string) => Promise<T>): Promise<T> {
  return how(fileURLToPath(new URL(`golden/tiny/${name}`, import.meta.url)));
}

if (import.meta.main) {
  await Deno.writeTextFile(
    fileURLToPath(new URL("../src/check/golden.json", import.meta.url)),
    await excerpt(),
  );
}
