/**
 * The measurement of the ladder: every rung's tokens are checked and its memory counted, then each rung takes turns with
 * the one below it, and at last the highest with the lowest.
 */
import { DEFAULT_DTYPE, type Dtype } from "../../formats/registry.ts";
import type { Bytes } from "../../gpu/ledger.ts";
import type { Model } from "../../model/model.ts";
import { roundMs } from "../run/cell_runs.ts";
import { takeTurns, type Timed, warmUp } from "../run/turns.ts";
import { Yardstick } from "../run/yardstick.ts";
import type { LadderPlan, LadderResult, MeasuredRung, RungTurns } from "./ladder_result.ts";
import {
  assertLadderIds,
  type FedId,
  idsToFeed,
  type LadderWork,
  type OpenRung,
  openRung,
  type RungRun,
} from "./rung_run.ts";
import { type WholeRung, wholeRungs } from "./rungs.ts";

/** Rounds of a pair whatever time they take: fewer give no verdict. */
const LEAST_ROUNDS = 5;
/** Most runs of a rung whose gaps are kept. */
const GAP_RUNS = 5;

/** A model with the bytes of its weights on the GPU. */
export interface WeighedModel {
  readonly model: Model;
  readonly weightsBytes: number;
}

/** The model in the storage types of the rungs, on one GPU. */
export type ModelIn = (weightsDtype: Dtype) => WeighedModel;

interface LadderProgress {
  /** A run begins: in a pass of `of`, the `done`th is over. */
  run(what: "check" | "turns", names: readonly string[], done: number, of: number): void;
}

/** The measured part of a record. */
type Measured = Pick<LadderResult, "token_ids" | "rungs" | "turns">;

/** A rung that was checked. */
interface Checked {
  readonly rung: WholeRung;
  readonly fed: readonly FedId[];
  readonly peak: Bytes;
  readonly storage: MeasuredRung["kv_storage"];
  /** Of a run that compiled nothing. */
  readonly ms: number;
  readonly gaps: number[][];
}

interface TimedRun extends Timed {
  readonly yardstick_ms: number;
}

/**
 * Measures the ladder.
 *
 * @throws {KvbenchError} If exact rungs disagree on a token, or the device fails.
 */
export async function runLadder(
  modelIn: ModelIn,
  plan: LadderPlan,
  progress: LadderProgress = { run: () => {} },
): Promise<Measured> {
  const { prompt_ids: prompt, new_tokens: newTokens } = plan;
  const work: LadderWork = { prompt, newTokens };
  const all = wholeRungs(),
    pairs = [...all.slice(1).map((_, i) => [i, i + 1] as const), [0, all.length - 1] as const];
  const checked: Checked[] = [];
  let ids: readonly number[] | undefined;
  for (const [i, rung] of all.entries()) {
    progress.run("check", [rung.name], i, all.length);
    const found = await check(modelIn(rung.weightsDtype), rung, { ...work, ids });
    ids ??= found.ids;
    checked.push(found);
  }
  const yardstick = await Yardstick.create(modelIn(all[0]!.weightsDtype).model.gpu);
  try {
    const costs = pairs.map((pair) => Math.sqrt(pair.reduce((sum, i) => sum + checked[i]!.ms, 0)));
    const cost = costs.reduce((sum, each) => sum + each, 0);
    const turns: RungTurns[] = [];
    for (const [i, pair] of pairs.entries()) {
      progress.run("turns", pair.map((at) => all[at]!.name), i, pairs.length);
      turns.push(
        await inTurns(modelIn, pair, {
          checked,
          ids: ids!,
          work,
          yardstick,
          // Rounds cost more where rungs are slow: with shares by the root of it, both precision and patience have theirs.
          plan: {
            ...plan,
            seed: (plan.seed + i) % 2 ** 32,
            max_seconds: plan.max_seconds * costs[i]! / cost,
          },
        }),
      );
    }
    return { token_ids: [...ids!], rungs: checked.map(rungRecord), turns };
  } finally {
    yardstick.dispose();
  }
}

/** Opens a rung, runs `use`, and frees it whatever happens. */
async function withRung<T>(
  model: Model,
  rung: WholeRung,
  work: LadderWork,
  use: (open: OpenRung) => Promise<T>,
): Promise<T> {
  const open = await openRung(model, rung, work);
  try {
    const result = await use(open);
    await open.runner.settle();
    return result;
  } finally {
    open.runner.dispose();
  }
}

/** Checks a rung's ids, counts its memory, and runs it twice. */
async function check(
  { model, weightsBytes }: WeighedModel,
  rung: WholeRung,
  { ids: known, ...work }: LadderWork & { readonly ids: readonly number[] | undefined },
): Promise<Checked & { readonly ids: readonly number[] }> {
  const { ledger } = model.gpu, others = ledger.current.weights - weightsBytes;
  const { value, peak } = await ledger.peakDuring(() =>
    withRung(model, rung, work, async (open) => {
      const first = await open.run([]), ids = known ?? first.ids[0]!;
      const fed = await idsToFeed(open, rung, { ids, firstPosition: work.prompt.length });
      const { ms } = await open.run(fed);
      return { ids, fed, ms, storage: open.runner.pool.storage };
    })
  );
  return {
    ...value,
    rung,
    gaps: [],
    peak: { ...peak, total: peak.total - others, weights: peak.weights - others },
  };
}

interface Context {
  readonly checked: readonly Checked[];
  readonly ids: readonly number[];
  readonly work: LadderWork;
  readonly yardstick: Yardstick;
  readonly plan: LadderPlan;
}

/** Times two rungs in turns. */
async function inTurns(
  modelIn: ModelIn,
  [from, to]: readonly [number, number],
  { checked, ids, work, yardstick, plan }: Context,
): Promise<RungTurns> {
  const [lower, upper] = [checked[from]!, checked[to]!];
  const with_ = <T>({ rung }: Checked, use: (open: OpenRung) => Promise<T>) =>
    withRung(modelIn(rung.weightsDtype).model, rung, work, use);
  return await with_(lower, (below) =>
    with_(upper, async (above) => {
      const opened = [below, above], pair = [lower, upper];
      const once = async (i: number): Promise<RungRun> => {
        const { rung, fed } = pair[i]!, run = await opened[i]!.run(fed);
        modelIn(rung.weightsDtype).model.gpu.assertHealthy();
        assertLadderIds(rung.name, run.ids, ids);
        return run;
      };
      for (const i of opened.keys()) {
        await warmUp(async () => (await once(i)).ms, plan.runs === null ? null : 1, plan.max_seconds);
      }
      const { timings, order, seconds, stopped } = await takeTurns<TimedRun>({
        cells: opened.length,
        stopping: { ...plan, least: LEAST_ROUNDS },
        seed: plan.seed,
        time: async (i) => {
          const before = await yardstick.readMs();
          const { ms, gaps } = await once(i);
          const after = await yardstick.readMs();
          const kept = pair[i]!.gaps;
          if (gaps !== null && kept.length < GAP_RUNS) kept.push(gaps.map(roundMs));
          return { e2e_ms: ms, yardstick_ms: (before + after) / 2 };
        },
      });
      const perToken = (i: number) =>
        timings[i]!.map(({ e2e_ms }) => roundMs(e2e_ms / (work.newTokens * pair[i]!.rung.batch)));
      return {
        from,
        to,
        seconds: Math.round(seconds * 1000) / 1000,
        stopped,
        order,
        from_ms: perToken(0),
        to_ms: perToken(1),
        yardstick_ms: timings.flat().map(({ yardstick_ms }) => roundMs(yardstick_ms)),
      };
    }));
}

function rungRecord({ rung, fed, peak, storage, gaps }: Checked): MeasuredRung {
  const { name, kv: { strategy, kvOptions = {} }, weightsDtype, loop, batch, exact } = rung;
  return {
    name,
    strategy,
    kv_options: { ...kvOptions },
    kv_storage: storage,
    kv_dtype: DEFAULT_DTYPE,
    weights_dtype: weightsDtype,
    loop,
    batch,
    exact,
    fed_ids: fed.length,
    peak_bytes: peak,
    gaps_ms: gaps.length > 0 ? gaps : null,
  };
}
