/** The self-check that comes before a measurement, with its progress on stderr. */
import type { Verdict } from "../../check/kernel_checks.ts";
import { selfCheck, type SelfCheckOptions } from "../../check/self_check.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { compileProgress } from "../terminal/compile_progress.ts";
import { withProgress } from "../terminal/progress.ts";

/** Kernels that golden prompts use with a cache, about. */
const GOLDEN_KERNELS = 16;

/**
 * Holds what this adapter computes against references.
 *
 * @returns What was checked.
 * @throws {WrongResultsError} Naming the first kernel that is wrong.
 */
export async function checkFirst(
  model: Gpt2,
  options: Omit<SelfCheckOptions, "onProgress" | "onKernel">,
): Promise<Verdict[]> {
  const compiling = compileProgress(GOLDEN_KERNELS);
  return await withProgress(async (bar) => {
    let total: number | undefined;
    const onProgress = (done: number, checks: number) => {
      // Where golden prompts differ, the kernels are checked next.
      if (total !== checks) bar.start("Checking what this adapter computes", total = checks, "checks");
      bar.update(done);
    };
    return await selfCheck(model, { ...options, onProgress, onKernel: compiling.kernel });
  }).finally(compiling.stop);
}
