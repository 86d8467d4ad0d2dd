/**
 * `bench`'s first figures: what a short run of each strategy takes, long before the measurement is done.
 */
import { firstLook } from "../../../measure/run/first_look.ts";
import { groupsOf } from "../../../measure/run/grid.ts";
import type { Plan } from "../../../measure/run/plan.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import { cellLabels } from "../../../report/labels.ts";
import { compileProgress } from "../../terminal/compile_progress.ts";
import { formatMs } from "../../../report/units.ts";

/** Kernels that the strategies use beside those that were checked, about. */
const MORE_KERNELS = 8;

/** Looks at the plan's first group, and says what it saw. */
export async function sayFirstLook(model: Gpt2, plan: Plan, say: (line: string) => void): Promise<void> {
  const [cells] = groupsOf(plan);
  const compiling = compileProgress(MORE_KERNELS);
  const glances = await firstLook(model, plan, cells!, compiling.kernel).finally(compiling.stop);
  const labels = cellLabels(cells!);
  const said = glances.map(({ ttftMs, tpotMs }, i) =>
    `${labels[i]} ${tpotMs === null ? `${formatMs(ttftMs)} to the token` : `${formatMs(tpotMs)} per token`}`
  );
  const variants = model.tuning.name === "measured"
    ? "the kernel variants chosen before"
    : "default kernel variants";
  say(`First look (one short run each, ${variants}; no part of the result): ${said.join(", ")}`);
}
