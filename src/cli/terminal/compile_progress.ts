/** Progress of compiling kernels, if it takes long: some drivers compile at a kernel's first dispatch. */
import type { Kernel } from "../../gpu/kernel.ts";
import { formatMs } from "../../report/units.ts";
import { type ProgressBar, progressBar } from "./progress.ts";

/** Compiling that took less is not shown: a warm driver takes no time. */
const QUIET_MS = 500;
/** A kernel that takes longer has a line of its own where there is no terminal. */
const WORTH_A_LINE_MS = 1000;

interface CompileProgress {
  /** Says that a kernel is compiled next; what it returns says that it is. */
  readonly kernel: (kernel: Pick<Kernel, "label">) => () => void;
  /** Ends it: all kernels are compiled. */
  readonly stop: () => void;
}

/** Destination and clock of {@linkcode compileProgress}. */
interface CompileProgressOptions {
  /** Default: this process's stderr. */
  readonly bar?: ProgressBar;
  /** True if `bar` is on a terminal. Default: true if stderr is one. */
  readonly terminal?: boolean;
  /** Reads a clock, in ms. Default: this process's. */
  readonly now?: () => number;
}

/** Makes a display for about `count` kernels. */
export function compileProgress(
  count: number,
  {
    bar = progressBar(),
    terminal = Deno.stderr.isTerminal(),
    now = () => performance.now(),
  }: CompileProgressOptions = {},
): CompileProgress {
  let done = 0, spentMs = 0, shown = false;
  return {
    kernel: ({ label }) => {
      if (spentMs >= QUIET_MS && !shown) {
        bar.start("Compiling kernels", Math.max(count, done + 1), "kernels", done);
        shown = true;
      }
      if (shown) bar.update(Math.min(done, count), `compiling ${label}`);
      const start = now();
      return () => {
        const ms = now() - start;
        done++;
        spentMs += ms;
        if (terminal || ms < WORTH_A_LINE_MS) return;
        bar.say(
          `The driver compiled ${label} in ${formatMs(ms)} (kernel ${done} of about ${
            Math.max(count, done)
          })`,
        );
      };
    },
    stop: () => bar.stop(),
  };
}
