/**
 * The parts of the time from the process's start to the first token, and the start's kind, cold or warm.
 */
import type { Gpt2 } from "../../../model/gpt2.ts";
import type { Start } from "../../../measure/record/start.ts";
import { sayDriverCache, startKind } from "../../../report/start_words.ts";
import { formatMs, formatSignificant } from "../../../report/units.ts";

/** Facts about a start besides its times. */
interface StartFacts {
  /** Milliseconds that finding the model took, downloads among it. */
  readonly locateMs: number;
  /** True if kernel variants were remembered from a measurement. */
  readonly remembered: boolean;
}

/** Times of a start, taken as a sequence is decoded. */
export class StartTimes {
  readonly #loadMs: Gpt2["loadMs"];
  readonly #facts: StartFacts;
  readonly #loadedMs = performance.now();
  #readyMs = 0;
  #firstMs: number | undefined;

  /** @param model The model, just loaded. */
  constructor({ loadMs }: Pick<Gpt2, "loadMs">, facts: StartFacts) {
    this.#loadMs = loadMs;
    this.#facts = facts;
  }

  /** Notes that the first step's kernels are compiled, and the prompt comes next. */
  ready(): void {
    this.#readyMs = performance.now();
  }

  /** Notes new tokens; at the first call it is one. */
  token(): void {
    this.#firstMs ??= performance.now();
  }

  /** Formats the times, once all `tokens` are there. */
  say(tokens: number, driver: Start["driver_cache"]): string {
    const firstMs = this.#firstMs!,
      { weights, kernels } = this.#loadMs,
      { locateMs, remembered } = this.#facts;
    const parts = {
      start: this.#loadedMs - weights - kernels - locateMs,
      "model and downloads": locateMs,
      weights,
      kernels: kernels + this.#readyMs - this.#loadedMs,
      prefill: firstMs - this.#readyMs,
    };
    const said = Object.entries(parts).map(([name, ms]) => `${name} ${formatMs(ms)}`).join(", ");
    const seconds = (performance.now() - firstMs) / 1000;
    const rate = tokens > 1 ? `; then ${formatSignificant((tokens - 1) / seconds)} tokens/s` : "";
    const [kind, hint] = driver === "unknown"
      ? ["start", " (Mesa's can, with -R -E)"]
      : [startKind({ driver_cache: driver }), ""];
    const variants = remembered
      ? "kernel variants were remembered"
      : "default kernel variants, as none were remembered";
    return `First token after ${formatMs(firstMs)}: ${said}${rate}\n` +
      `A ${kind}: ${sayDriverCache(driver)}${hint}; ${variants}`;
  }
}
