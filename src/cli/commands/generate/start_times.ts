/**
 * Where the time until the first token goes, from the process's start.
 *
 * @module
 */
import type { Gpt2 } from "../../../model/gpt2.ts";
import { formatMs, formatSignificant } from "../../../report/units.ts";

/** Takes times as a sequence is decoded. */
export class StartTimes {
  readonly #loadMs: Gpt2["loadMs"];
  readonly #loadedMs = performance.now();
  #readyMs = 0;
  #firstMs: number | undefined;

  /** @param model It has just been loaded. */
  constructor({ loadMs }: Pick<Gpt2, "loadMs">) {
    this.#loadMs = loadMs;
  }

  /** The strategy's kernels are compiled, and the prompt comes next. */
  ready(): void {
    this.#readyMs = performance.now();
  }

  /** Tokens are there; the first time, it is one. */
  token(): void {
    this.#firstMs ??= performance.now();
  }

  /** Says it, once all `tokens` are there. */
  say(tokens: number): string {
    const firstMs = this.#firstMs!, { weights, kernels } = this.#loadMs;
    const parts = {
      start: this.#loadedMs - weights - kernels,
      weights,
      kernels: kernels + this.#readyMs - this.#loadedMs,
      prefill: firstMs - this.#readyMs,
    };
    const said = Object.entries(parts).map(([name, ms]) => `${name} ${formatMs(ms)}`).join(", ");
    const seconds = (performance.now() - firstMs) / 1000;
    const rate = tokens > 1 ? `; then ${formatSignificant((tokens - 1) / seconds)} tokens/s` : "";
    return `First token after ${formatMs(firstMs)}: ${said}${rate}`;
  }
}
