/**
 * A first look at a group of cells before it is measured: one short run each after a warm-up, for the waiting user. Its
 * times are in no result.
 */
import { withDecoder } from "../../engine/with_decoder.ts";
import type { FirstDispatch } from "../../gpu/recorder.ts";
import type { Model } from "../../model/model.ts";
import { latencyRun } from "./cell_runs.ts";
import type { CellPlan, GroupPlan } from "./grid.ts";
import { promptsOf } from "./grid.ts";
import { assertSameIds, decodingOf } from "./group.ts";
import { checkReference } from "./reference_check.ts";
import type { Plan } from "./plan.ts";

/** Most new tokens of a run. */
const NEW_TOKENS = 9;

/** The times of a cell's run. */
interface Glance {
  readonly cell: CellPlan;
  /** Time to first token. */
  readonly ttftMs: number;
  /** Time per output token; null with one new token. */
  readonly tpotMs: number | null;
}

/**
 * Runs each cell of a plan's first group once.
 *
 * @param onKernel Called before a kernel is first dispatched.
 * @throws {KvbenchError} If two cells disagree on a token, or the device fails.
 */
export async function firstLook(
  model: Model,
  plan: Plan,
  cells: GroupPlan,
  onKernel?: FirstDispatch,
): Promise<Glance[]> {
  const { settings } = cells[0]!;
  const newTokens = Math.min(NEW_TOKENS, settings.new_tokens);
  const prompts = promptsOf(plan, settings, model.config.vocabSize);
  const work = { prompts, newTokens, kvDtype: settings.kv_dtype };
  const runs: { ids: number[][] }[] = [], glances: Glance[] = [];
  for (const [i, cell] of cells.entries()) {
    const { ids, ttft_ms, e2e_ms } = await withDecoder(model, decodingOf(cell), async (decoder) => {
      const { recorder } = decoder.runner;
      recorder.onFirstDispatch = onKernel;
      await latencyRun(model, work, decoder); // compiles
      recorder.onFirstDispatch = undefined;
      return await latencyRun(model, work, decoder);
    });
    runs.push({ ids });
    assertSameIds(cells, runs, i, ids);
    await checkReference(model, decodingOf(cell), { prompts, ids });
    const tpotMs = newTokens > 1 ? (e2e_ms - ttft_ms) / (newTokens - 1) : null;
    glances.push({ cell, ttftMs: ttft_ms, tpotMs });
  }
  model.gpu.assertHealthy();
  return glances;
}
