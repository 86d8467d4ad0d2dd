/**
 * The measurement of one group of cells: for each cell a memory run, warm-up, latency runs in turns with the other
 * cells, a per-token run beside each of the first ones, and a timestamp run. Before a time is kept, every run's token ids are compared with the
 * first cell's, and a strategy that is not exact with its reference.
 */
import type { Decoder } from "../../engine/decoder.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { KvbenchError } from "../../base/errors.ts";
import { strategyNamed } from "../../kv/registry.ts";
import type { Model } from "../../model/model.ts";
import type { Cell } from "../record/cell.ts";
import {
  latencyRun,
  type MemoryRun,
  memoryRun,
  perTokenRun,
  roundMs,
  timestampRun,
  type Work,
} from "./cell_runs.ts";
import { type CellPlan, type GroupPlan, promptsOf } from "./grid.ts";
import { checkReference } from "./reference_check.ts";
import type { Plan } from "./plan.ts";
import type { GroupRecord, Timing, Unfinished } from "../record/result.ts";
import { mean, median, percentile } from "../statistics/statistics.ts";
import { summarise } from "../findings/summary.ts";
import { takeTurns, type WarmUp, warmUp } from "./turns.ts";
import { Yardstick } from "./yardstick.ts";

/** Most per-token runs of a cell; one alone would show disturbances of the machine. */
const PER_TOKEN_RUNS = 5;

/** Events for a display. */
export interface GroupProgress {
  /** A run of a cell begins. */
  run(what: "memory" | "warm-up" | "run" | "per token" | "GPU time", cell: number): void;
  /** A round of measured runs is complete. */
  round(soFar: Unfinished): void | Promise<void>;
}

interface GroupOptions {
  readonly progress: GroupProgress;
  /** Measured runs of before an interruption. */
  readonly earlier?: Unfinished | undefined;
  /** Ends the measurement between two runs, by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Decodes ids to text. */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
}

/**
 * Measures a group of a plan.
 *
 * @param index Index of the group in the plan.
 * @throws {KvbenchError} If two cells disagree on a token, a strategy with its reference, or the ledger on a K/V byte, or the
 * device fails.
 */
export async function measureGroup(
  model: Model,
  plan: Plan,
  index: number,
  cells: GroupPlan,
  options: GroupOptions,
): Promise<{ group: GroupRecord; cells: Cell[] }> {
  const { progress, signal } = options;
  const settings = cells[0]!.settings;
  const work: Work = {
    prompts: promptsOf(plan, settings, model.config.vocabSize),
    newTokens: settings.new_tokens,
    kvDtype: settings.kv_dtype,
  };
  const begin = (...what: Parameters<GroupProgress["run"]>) => {
    signal?.throwIfAborted();
    progress.run(...what);
  };

  const memory: MemoryRun[] = [];
  for (const [i, cell] of cells.entries()) {
    begin("memory", i);
    memory.push(await memoryRun(model, work, decodingOf(cell)));
    assertSameIds(cells, memory, i, memory[i]!.ids);
    await checkReference(model, decodingOf(cell), { prompts: work.prompts, ids: memory[i]!.ids });
  }

  return await withDecoders(model, cells, async (decoders) => {
    const yardstick = await Yardstick.create(model.gpu);
    try {
      const time = async (i: number): Promise<Timing> => {
        const before = await yardstick.readMs();
        const { ids, ...timing } = await latencyRun(model, work, decoders[i]!);
        const after = await yardstick.readMs();
        assertSameIds(cells, memory, i, ids);
        return { ...timing, yardstick_ms: roundMs((before + after) / 2) };
      };
      const warmUps: WarmUp[] = [];
      for (const i of cells.keys()) {
        const once = async () => {
          begin("warm-up", i);
          return (await time(i)).e2e_ms;
        };
        warmUps.push(await warmUp(once, plan.warmup_runs, plan.max_seconds));
      }
      const gaps: number[][][] = cells.map(() => []); // [cells][runs][new tokens - 1]
      const perTokenRuns = work.newTokens > 1 ? PER_TOKEN_RUNS : 0;
      let perTokenMs = 0;
      const perToken = async (i: number) => {
        begin("per token", i);
        const start = performance.now();
        gaps[i]!.push(await perTokenRun(model, work, decoders[i]!));
        perTokenMs += performance.now() - start;
      };
      const seed = (plan.seed + index) % 2 ** 32;
      const { timings, ...group } = await takeTurns({
        cells: cells.length,
        stopping: plan,
        seed,
        earlier: options.earlier,
        now: () => performance.now() - perTokenMs, // the time budget is that of latency runs
        time: async (i) => {
          begin("run", i);
          const timing = await time(i);
          // Beside it: a machine that changes its speed changes it for both.
          if (gaps[i]!.length < perTokenRuns) await perToken(i);
          return timing;
        },
        onRound: (soFar) => progress.round(soFar),
      });
      // After a resumption there are rounds of before it.
      const fewest = Math.min(perTokenRuns, timings[0]!.length);
      for (const i of cells.keys()) while (gaps[i]!.length < fewest) await perToken(i);
      const gpuMs: (number | null)[] = [];
      for (const i of cells.keys()) {
        begin("GPU time", i);
        gpuMs.push(await timestampRun(model, work, decoders[i]!));
      }
      return {
        group: { ...group, seconds: Math.round(group.seconds * 1000) / 1000 },
        cells: cells.map((cell, i): Cell => ({
          group: index,
          ...cell,
          kv_storage: decoders[i]!.runner.pool.storage,
          warmup: warmUps[i]!,
          ...latencies(cell, timings[i]!, plan.seed),
          itl_ms: work.newTokens > 1 ? itlOf(gaps[i]!) : null,
          gpu_ms_per_token: gpuMs[i]!,
          dispatches_per_token: memory[i]!.dispatchesPerToken,
          memory: memory[i]!.memory,
          token_ids: memory[i]!.ids,
          texts: options.decode ? memory[i]!.ids.map(options.decode) : null,
        })),
      };
    } finally {
      yardstick.dispose();
    }
  });
}

type Latencies = Pick<
  Cell,
  | "ttft_ms"
  | "tpot_ms"
  | "e2e_ms"
  | "yardstick_ms"
  | "decode_tokens_per_second"
  | "prefill_tokens_per_second"
  | "encode_ms_per_token"
>;

/** Summarises a cell's timings. */
export function latencies({ settings }: CellPlan, timings: readonly Timing[], seed: number): Latencies {
  const { batch, prompt_tokens, new_tokens } = settings;
  const ttft = summarise(timings.map(({ ttft_ms }) => ttft_ms), seed);
  // TPOT as vLLM defines it: (E2E - TTFT) / (output tokens - 1)
  const tpot = new_tokens === 1
    ? null
    : summarise(timings.map(({ ttft_ms, e2e_ms }) => roundMs((e2e_ms - ttft_ms) / (new_tokens - 1))), seed);
  return {
    ttft_ms: ttft,
    tpot_ms: tpot,
    e2e_ms: summarise(timings.map(({ e2e_ms }) => e2e_ms), seed),
    yardstick_ms: timings.map(({ yardstick_ms }) => yardstick_ms),
    decode_tokens_per_second: tpot && batch * 1000 / tpot.median,
    prefill_tokens_per_second: batch * 1000 * prompt_tokens / ttft.median,
    encode_ms_per_token: roundMs(mean(timings.map(({ encode_ms }) => encode_ms)) / new_tokens),
  };
}

function itlOf(runs: number[][]): NonNullable<Cell["itl_ms"]> {
  const all = runs.flat();
  return {
    runs,
    by_token: runs[0]!.map((_, token) => median(runs.map((gaps) => gaps[token]!))),
    median: median(all),
    p90: percentile(all, 90),
    p95: percentile(all, 95),
    p99: percentile(all, 99),
    max: Math.max(...all),
  };
}

/** Returns what a cell's decoder is sized for. */
export function decodingOf({ strategy, settings }: CellPlan): DecodingOptions {
  const { prompt_tokens, new_tokens, batch, kv_dtype, ...kvOptions } = settings;
  return {
    strategy,
    kvOptions,
    kvDtype: kv_dtype,
    nSequences: batch,
    maxPromptTokens: prompt_tokens,
    maxTokens: prompt_tokens + new_tokens,
  };
}

/** Keeps a decoder of every cell alive while `use` runs. */
async function withDecoders<T>(
  model: Model,
  cells: readonly CellPlan[],
  use: (decoders: readonly Decoder[]) => Promise<T>,
): Promise<T> {
  const open = (decoders: readonly Decoder[]): Promise<T> => {
    const cell = cells[decoders.length];
    if (cell === undefined) return use(decoders);
    return withDecoder(model, decodingOf(cell), (decoder) => open([...decoders, decoder]));
  };
  return await open([]);
}

/**
 * Compares what cell `at` has generated with the first run of the first cell whose strategy is exact; where its own is
 * not, with its own first run.
 *
 * @throws {KvbenchError} Where a token differs.
 */
export function assertSameIds(
  cells: GroupPlan,
  firstRuns: readonly Pick<MemoryRun, "ids">[],
  at: number,
  ids: readonly (readonly number[])[],
): void {
  const isExact = ({ strategy }: CellPlan) => strategyNamed(strategy).traits.exact;
  const reference = isExact(cells[at]!) ? cells.findIndex(isExact) : at;
  firstRuns[reference]!.ids.forEach((expected, sequence) => {
    const found = ids[sequence] ?? [];
    const token = expected.findIndex((id, i) => found[i] !== id);
    if (token < 0 && found.length === expected.length) return;
    throw new KvbenchError(
      `The strategies disagree, so no time is reported: at new token ${token + 1} of sequence ${sequence}, ` +
        `${cells[reference]!.strategy} chose ${expected[token]} and ${cells[at]!.strategy} chose ${
          found[token]
        }`,
    );
  });
}
