/** Progress of a serving simulation: the requests that are finished of one memory policy after another. */
import type { ServingProgress } from "../../simulate/run_policy.ts";
import { withProgress } from "./progress.ts";

/** Shows a bar for each policy while `work` runs. */
export async function withRequests<T>(
  nRequests: number,
  work: (onProgress: ServingProgress) => Promise<T>,
): Promise<T> {
  return await withProgress(async (bar) => {
    let shown: string | undefined;
    bar.start("Preparing the requests");
    return await work((policy, nFinished) => {
      if (policy !== shown) bar.start(`Serving with ${policy}`, nRequests, "requests");
      shown = policy;
      bar.update(nFinished);
    });
  });
}
