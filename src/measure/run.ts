/**
 * The benchmark runner: a memory run per strategy, then latency runs of all strategies in interleaved order.
 * Every run's token ids are compared with the first strategy's before a time is kept, and K/V bytes with the
 * formula. Owns no clock but its own, prints nothing.
 *
 * @module
 */
import type { Decoder } from "../engine/decoder.ts";
import { type DecodingOptions, withDecoder } from "../engine/with_decoder.ts";
import { KvbenchError } from "../errors.ts";
import { type Dtype, DTYPE_BYTES } from "../gpu/dtype.ts";
import { Timestamps } from "../gpu/timestamps.ts";
import { kvRowBytes, type KvStrategy, type KvUsage, type StrategyName } from "../kv/strategy.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { StrategyResult } from "./result.ts";
import { mean, median } from "./statistics.ts";
import { checkWorkload, type Workload } from "./workload.ts";

/** Runs with a fence per token, at most one per measured run: one alone would show what else the machine did. */
const ITL_RUNS = 3;

/** What is under way, for a progress display. */
export interface BenchProgress {
  /** Called once with the number of runs to come. */
  start(runs: number): void;
  /** Called after each run. */
  step(what: string): void;
}

/** All strategies' results, and the order in which they were timed. */
export interface BenchRun {
  /** One entry per strategy, in the order asked for. */
  readonly results: StrategyResult[];
  /** Order of the strategies in each measured run. */
  readonly order: StrategyName[][];
}

/** What one timed run yields. */
interface Timing {
  readonly ttftMs: number;
  readonly e2eMs: number;
  readonly encodeMs: number;
}

/** What the memory run of one strategy yields. */
interface MemoryRun {
  readonly ids: number[];
  readonly peak: StrategyResult["gpu_peak_bytes"];
  readonly usage: KvUsage;
  readonly timeline: StrategyResult["kv_timeline"];
  readonly dispatchesPerToken: number;
}

/**
 * Runs a workload with every strategy that it names.
 *
 * @throws {UsageError} If the workload does not fit the model.
 * @throws {KvbenchError} If the strategies disagree on a token, or the ledger on a K/V byte.
 */
export async function runBench(model: Gpt2, workload: Workload, progress: BenchProgress): Promise<BenchRun> {
  checkWorkload(workload, model.config);
  const { strategies, runs, warmup, newTokens } = workload;
  const itlRuns = Math.min(ITL_RUNS, runs);
  progress.start(strategies.length * (1 + warmup + 1 + itlRuns + runs));

  const memory = new Map<StrategyName, MemoryRun>();
  for (const name of strategies) {
    model.gpu.ledger.resetPeak();
    memory.set(
      name,
      await withDecoder(model, decodingOf(workload, name), (d, kv) => memoryRun(model, workload, d, kv)),
    );
    progress.step(`${name}: memory`);
  }
  const expected = memory.get(strategies[0]!)!.ids;
  for (const [name, { ids }] of memory) assertSameIds(strategies[0]!, expected, name, ids);

  const order: StrategyName[][] = [];
  const timings = new Map<StrategyName, Timing[]>(strategies.map((name) => [name, []]));
  const itl = new Map<StrategyName, number[][]>(strategies.map((name) => [name, []])); // [runs][tokens]
  const gpuMs = new Map<StrategyName, number | null>();
  await withDecoders(model, strategies, workload, async (decoders) => {
    const timed = async (name: StrategyName): Promise<Timing> => {
      const { ids, ...timing } = await latencyRun(model, workload, decoders.get(name)!);
      assertSameIds(strategies[0]!, expected, name, ids);
      return timing;
    };
    for (const name of strategies) {
      for (let i = 0; i < warmup; i++) {
        await timed(name);
        progress.step(`${name}: warm-up`);
      }
      gpuMs.set(name, await gpuRun(model, workload, decoders.get(name)!));
      progress.step(`${name}: GPU time`);
    }
    const random = seededRandom(workload.seed);
    for (let run = 0; run < runs; run++) {
      const round = shuffled(strategies, random);
      order.push(round);
      for (const name of round) {
        timings.get(name)!.push(await timed(name));
        progress.step(`${name}: run ${run + 1} of ${runs}`);
        if (run >= itlRuns) continue;
        itl.get(name)!.push(await itlRun(model, workload, decoders.get(name)!));
        progress.step(`${name}: latency per token`);
      }
    }
  });

  const results = strategies.map((name): StrategyResult => {
    const { ids, peak, usage, timeline, dispatchesPerToken } = memory.get(name)!;
    const samples = timings.get(name)!;
    const ttft = samples.map(({ ttftMs }) => ttftMs), e2e = samples.map(({ e2eMs }) => e2eMs);
    // TPOT as vLLM defines it: (E2E - TTFT) / (output tokens - 1)
    const tpot = newTokens > 1 ? samples.map((s) => (s.e2eMs - s.ttftMs) / (newTokens - 1)) : [];
    const tpotMedian = tpot.length > 0 ? median(tpot) : null;
    const unused = usage.reservedBytes - usage.usedBytes;
    return {
      strategy: name,
      ttft_ms: { median: median(ttft), samples: ttft },
      tpot_ms: { median: tpotMedian, samples: tpot },
      e2e_ms: { median: median(e2e), samples: e2e },
      tokens_per_second: tpotMedian === null ? null : 1000 / tpotMedian,
      prefill_tokens_per_second: 1000 * workload.promptIds.length / median(ttft),
      itl_ms: { samples: medianRun(itl.get(name)!) },
      gpu_ms_per_token: gpuMs.get(name)!,
      dispatches_per_token: dispatchesPerToken,
      encode_ms_per_token: mean(samples.map(({ encodeMs }) => encodeMs)) / newTokens,
      gpu_peak_bytes: peak,
      kv_tokens: usage.tokens,
      kv_layers_kept: usage.layersKept,
      kv_used_bytes: usage.usedBytes,
      kv_reserved_bytes: usage.reservedBytes,
      kv_allocated_bytes: usage.allocatedBytes,
      // At the end of the request nothing more will come, so what it holds and has not filled is internal.
      kv_waste_bytes: { reserved_for_later: 0, internal: unused, external: usage.externalBytes },
      kv_formula: kvFormula(model, workload.kvDtype, usage),
      kv_timeline: timeline,
      token_ids: ids,
      text: null,
    };
  });
  return { results, order };
}

/** Decodes once, a token at a time, looking at the ledger and the strategy after each. */
async function memoryRun(
  model: Gpt2,
  workload: Workload,
  decoder: Decoder,
  strategy: KvStrategy,
): Promise<MemoryRun> {
  const { promptIds, newTokens } = workload;
  const timeline: MemoryRun["timeline"] = [];
  decoder.begin([promptIds]);
  let prefillDispatches = 0;
  for (let token = 1; token <= newTokens; token++) {
    decoder.advance(1);
    if (token === 1) prefillDispatches = decoder.dispatches;
    const { reservedBytes, usedBytes } = strategy.usage();
    timeline.push({ token, reserved_bytes: reservedBytes, used_bytes: usedBytes });
  }
  const peak = model.gpu.ledger.peak; // before the readback, which is not the strategy's
  const [ids] = await decoder.ids(promptIds.length);
  const usage = strategy.usage();
  assertKvBytes(
    model,
    { name: strategy.name, dtype: workload.kvDtype },
    usage,
    promptIds.length + newTokens - 1,
  );
  const decodeDispatches = decoder.dispatches - prefillDispatches;
  return {
    ids: ids!,
    peak,
    usage,
    timeline,
    dispatchesPerToken: newTokens > 1 ? decodeDispatches / (newTokens - 1) : prefillDispatches,
  };
}

/** One timed request: prefill, fence, decode, fence. */
async function latencyRun(
  model: Gpt2,
  { promptIds, newTokens }: Workload,
  decoder: Decoder,
): Promise<Timing & { ids: number[] }> {
  const { fence } = model.gpu;
  await fence.wait();
  const encodedMs = decoder.encodeMs;
  const start = performance.now();
  decoder.begin([promptIds]);
  decoder.advance(1);
  await fence.wait();
  const first = performance.now();
  decoder.advance(newTokens - 1);
  await fence.wait();
  const end = performance.now();
  const [ids] = await decoder.ids(promptIds.length);
  return {
    ttftMs: first - start,
    e2eMs: end - start,
    encodeMs: decoder.encodeMs - encodedMs,
    ids: ids!,
  };
}

/** One request with a fence after every token; returns the gaps, in ms. */
async function itlRun(model: Gpt2, { promptIds, newTokens }: Workload, decoder: Decoder): Promise<number[]> {
  const { fence } = model.gpu;
  decoder.begin([promptIds]);
  decoder.advance(1);
  await fence.wait();
  const gaps: number[] = [];
  let last = performance.now();
  for (let token = 1; token < newTokens; token++) {
    decoder.advance(1);
    await fence.wait();
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  model.gpu.assertHealthy();
  return gaps;
}

/** The median over runs of each token's gap. */
function medianRun(runs: readonly (readonly number[])[]): number[] {
  return runs[0]!.map((_, token) => median(runs.map((gaps) => gaps[token]!)));
}

/** One request with a timed pass for every decoded token; returns the mean GPU time of a token, in ms. */
async function gpuRun(
  model: Gpt2,
  { promptIds, newTokens }: Workload,
  decoder: Decoder,
): Promise<number | null> {
  const timestamps = newTokens > 1 ? Timestamps.create(model.gpu, newTokens - 1) : undefined;
  if (!timestamps) return null;
  try {
    decoder.begin([promptIds]);
    decoder.advance(1);
    decoder.timePasses(timestamps);
    for (let token = 1; token < newTokens; token++) decoder.advance(1);
    return mean(await timestamps.readMs());
  } finally {
    decoder.timePasses(undefined);
    timestamps.dispose();
  }
}

/** What a strategy and its decoder are sized for. */
function decodingOf(workload: Workload, strategy: StrategyName): DecodingOptions {
  const { promptIds, newTokens, kvCapacityTokens, growth, blockSize, kvDtype } = workload;
  return {
    strategy,
    blockSize,
    growth,
    kvDtype,
    capacityTokens: kvCapacityTokens,
    nSequences: 1,
    maxPromptTokens: promptIds.length,
    maxTokens: promptIds.length + newTokens,
  };
}

/** Keeps a decoder of every strategy alive while `use` runs. */
async function withDecoders(
  model: Gpt2,
  names: readonly StrategyName[],
  workload: Workload,
  use: (decoders: ReadonlyMap<StrategyName, Decoder>) => Promise<void>,
): Promise<void> {
  const decoders = new Map<StrategyName, Decoder>();
  const open = async (rest: readonly StrategyName[]): Promise<void> => {
    const [name, ...more] = rest;
    if (name === undefined) return await use(decoders);
    await withDecoder(model, decodingOf(workload, name), async (decoder) => {
      decoders.set(name, decoder);
      await open(more);
    });
  };
  await open(names);
}

function assertSameIds(
  reference: StrategyName,
  expected: readonly number[],
  name: StrategyName,
  ids: readonly number[],
): void {
  const at = expected.findIndex((id, i) => ids[i] !== id);
  if (at < 0 && ids.length === expected.length) return;
  throw new KvbenchError(
    `The strategies disagree, so no time is reported: at new token ${at + 1}, ${reference} chose ` +
      `${expected[at]} and ${name} chose ${ids[at]}`,
  );
}

/** The formula that used K/V bytes must equal, with its figures. */
function kvFormula(model: Gpt2, dtype: Dtype, { layersKept, tokens, usedBytes }: KvUsage): string {
  const scales = dtype === "int8" ? ` + ${model.config.nHead} scales · 4 bytes` : "";
  const row = `${model.dims.a4 * 4} width · ${DTYPE_BYTES[dtype]} bytes${scales}`;
  return `2 · ${layersKept} layers · ${scales ? `(${row})` : row} · ${tokens} tokens = ${usedBytes}`;
}

function assertKvBytes(
  model: Gpt2,
  { name, dtype }: { name: StrategyName; dtype: Dtype },
  usage: KvUsage,
  tokens: number,
): void {
  const { nHead } = model.config, { a4 } = model.dims;
  const formula = usage.layersKept * kvRowBytes({ nHead, a4, dtype }) * tokens;
  if (usage.usedBytes !== formula || usage.tokens !== tokens) {
    throw new KvbenchError(
      `${name} says that ${usage.tokens} tokens use ${usage.usedBytes} bytes: ` +
        `the formula for ${tokens} tokens gives ${formula}`,
    );
  }
  const { kv } = model.gpu.ledger.current;
  if (kv !== usage.allocatedBytes) {
    throw new KvbenchError(
      `${name} says that K and V hold ${usage.allocatedBytes} bytes: the ledger says ${kv}`,
    );
  }
}
