/**
 * Shows which kernel the driver compiles, where that takes long: some do it at a kernel's first dispatch.
 *
 * @module
 */
import type { Kernel } from "../../gpu/kernel.ts";
import { formatMs } from "../../report/units.ts";
import { progressBar } from "./progress.ts";

/** Compiling that took less is not shown: a warm driver takes no time. */
const QUIET_MS = 500;

/** Makes a display for about `count` kernels; `kernel` is called before each of them is compiled. */
export function compileProgress(
  count: number,
): { readonly kernel: (kernel: Kernel) => void; readonly stop: () => void } {
  const bar = progressBar();
  const terminal = Deno.stderr.isTerminal();
  const start = performance.now();
  let done = -1, shown = false;
  return {
    kernel: ({ label }) => {
      done++;
      const ms = performance.now() - start;
      if (ms < QUIET_MS && !shown) return;
      if (!shown) {
        bar.start("Compiling kernels", Math.max(count, done + 1), "kernels", done);
        if (!terminal) {
          console.error(`The driver compiles kernels: ${done} of about ${count} in ${formatMs(ms)}`);
        }
      }
      shown = true;
      bar.update(Math.min(done, count), `compiling ${label}`);
    },
    stop: () => bar.stop(),
  };
}
