/**
 * The runs of a cell, each with one purpose: a latency run has two fences and nothing else, a memory run reads the
 * ledger after every token, a per-token run has a fence behind every token, and a timestamp run has a timed pass for
 * every decode step.
 */
import type { Decoder } from "../../engine/decoder.ts";
import { type DecodingOptions, openDecoder } from "../../engine/with_decoder.ts";
import { KvbenchError } from "../../base/errors.ts";
import { partsOf } from "../../formats/kv_dtype.ts";
import { type Dtype, formatOf, kvStorage } from "../../formats/registry.ts";
import { Timestamps } from "../../gpu/timestamps.ts";
import { kvBytesOf, kvRowBytes } from "../../kv/shape.ts";
import type { Model } from "../../model/model.ts";
import { splitsOf } from "../../model/tuning.ts";
import type { Cell } from "../record/cell.ts";
import type { Timing } from "../record/result.ts";
import { mean } from "../statistics/statistics.ts";

/** The work of every sequence of a cell. */
export interface Work {
  /** One prompt per sequence, all of one length. */
  readonly prompts: readonly (readonly number[])[];
  /** Tokens to generate per sequence. */
  readonly newTokens: number;
  readonly kvDtype: Dtype;
}

/** The result of a memory run. */
export interface MemoryRun {
  /** Generated ids: [batch][new tokens]. */
  readonly ids: number[][];
  readonly memory: Cell["memory"];
  /** GPU dispatches of a decode step. */
  readonly dispatchesPerToken: number;
}

/** Rounds milliseconds to a tenth of a microsecond, which is finer than the clock. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}

/** K/V memory after a token. */
interface KvState {
  readonly tokens: number;
  readonly usedBytes: number;
  readonly reservedBytes: number;
  readonly allocatedBytes: number;
}

/**
 * Decodes once, a token at a time, looking at the ledger and the strategy after each.
 *
 * @throws {KvbenchError} If K/V bytes are not what the formula and the ledger say.
 */
export async function memoryRun(model: Model, work: Work, decoding: DecodingOptions): Promise<MemoryRun> {
  const { prompts, newTokens } = work, { ledger } = model.gpu;
  const { value: { decoder, ...steps }, peak } = await ledger.peakDuring(async () => {
    const decoder = await openDecoder(model, decoding);
    try {
      return { decoder, ...await countedSteps(model, work, decoder), end: ledger.current };
    } catch (error) {
      decoder.dispose();
      throw error;
    }
  });
  try {
    const { states, totals, prefillDispatches, end } = steps, { layersKept } = decoder.runner.pool;
    const last = states.at(-1)!, promptTokens = prompts[0]!.length;
    const ids = await decoder.ids(promptTokens);
    const { policy } = decoder.runner;
    const tokens = prompts.reduce(
      (sum, _, s) => sum + policy.storedTokens(promptTokens + newTokens - 1, s),
      0,
    );
    assertKvBytes(model, { name: decoding.strategy, dtype: work.kvDtype, layersKept }, last, tokens);
    const decodeDispatches = decoder.runner.recorder.dispatches - prefillDispatches;
    // What is reserved and not used is for later as far as this run's last token fills it, and else never used.
    const later = states.map(({ reservedBytes, usedBytes }) =>
      Math.max(0, Math.min(reservedBytes, last.usedBytes) - usedBytes)
    );
    return {
      ids,
      memory: {
        peak_bytes: peak,
        end_bytes: end,
        kv_tokens: last.tokens,
        kv_layers_kept: layersKept,
        kv_used_bytes: last.usedBytes,
        kv_reserved_bytes: last.reservedBytes,
        kv_allocated_bytes: last.allocatedBytes,
        kv_formula: kvFormula(model, work.kvDtype, layersKept, last),
        timeline: {
          total_bytes: totals,
          kv_allocated_bytes: states.map(({ allocatedBytes }) => allocatedBytes),
          kv_used_bytes: states.map(({ usedBytes }) => usedBytes),
          kv_for_later_bytes: later,
          kv_internal_bytes: states.map(({ reservedBytes, usedBytes }, i) =>
            reservedBytes - usedBytes - later[i]!
          ),
          kv_external_bytes: states.map(() => 0), // one batch begins together: nothing lies between its regions
          ...steps.work,
        },
      },
      dispatchesPerToken: newTokens > 1 ? decodeDispatches / (newTokens - 1) : prefillDispatches,
    };
  } finally {
    decoder.dispose();
  }
}

/** Takes the steps of a request one by one, and notes what memory there is after each. */
async function countedSteps(model: Model, { prompts, newTokens }: Work, decoder: Decoder) {
  const { policy, pool, recorder } = decoder.runner;
  const states: KvState[] = [], totals: number[] = [], { ledger } = model.gpu;
  const work = { created_buffers: [] as number[], created_bytes: [] as number[], splits: [] as number[] };
  decoder.begin(prompts);
  let prefillDispatches = 0;
  for (let token = 1; token <= newTokens; token++) {
    const length = decoder.lengths[0]!, isRow = length - policy.firstToCompute(0) === 1;
    const before = ledger.created;
    await decoder.advance(1);
    work.created_buffers.push(ledger.created.buffers - before.buffers);
    work.created_bytes.push(ledger.created.bytes - before.bytes);
    work.splits.push(isRow ? splitsOf(policy.entries(length, 0), model.tuning) : 0);
    if (token === 1) prefillDispatches = recorder.dispatches;
    const usage = policy.usage();
    states.push({
      tokens: usage.stored,
      ...kvBytesOf(usage, pool.tokenBytes),
      allocatedBytes: decoder.runner.kvBytes,
    });
    totals.push(ledger.current.total);
  }
  return { states, totals, work, prefillDispatches };
}

/** Times one request: prefill, fence, decode, fence. */
export async function latencyRun(
  model: Model,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<Omit<Timing, "yardstick_ms"> & { ids: number[][] }> {
  const { fence } = model.gpu;
  await fence.wait();
  const encodedMs = decoder.runner.encodeMs;
  const start = performance.now();
  decoder.begin(prompts);
  await decoder.advance(1);
  await fence.wait();
  const first = performance.now();
  await decoder.advance(newTokens - 1);
  await fence.wait();
  const end = performance.now();
  const ids = await decoder.ids(prompts[0]!.length);
  return {
    ttft_ms: roundMs(first - start),
    e2e_ms: roundMs(end - start),
    encode_ms: roundMs(decoder.runner.encodeMs - encodedMs),
    ids,
  };
}

/**
 * Runs one request with a fence after every token, and returns the gaps in ms.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function perTokenRun(
  model: Model,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<number[]> {
  const { fence } = model.gpu;
  decoder.begin(prompts);
  await decoder.advance(1);
  await fence.wait();
  const gaps: number[] = [];
  let last = performance.now();
  for (let token = 1; token < newTokens; token++) {
    await decoder.advance(1);
    await fence.wait();
    const now = performance.now();
    gaps.push(roundMs(now - last));
    last = now;
  }
  model.gpu.assertHealthy();
  return gaps;
}

/** Runs one request with timestamps, and returns the mean GPU time of a decode step in ms; null without timestamps. */
export async function timestampRun(
  model: Model,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<number | null> {
  const timestamps = newTokens > 1 ? Timestamps.create(model.gpu, newTokens - 1) : undefined;
  if (!timestamps) return null;
  try {
    decoder.begin(prompts);
    await decoder.advance(1);
    decoder.runner.recorder.timestamps = timestamps;
    for (let token = 1; token < newTokens; token++) await decoder.advance(1);
    return roundMs(mean(await timestamps.readMs()));
  } finally {
    decoder.runner.recorder.timestamps = undefined;
    timestamps.dispose();
  }
}

/** Returns the formula that used K/V bytes must equal, with its figures. */
function kvFormula(model: Model, dtype: Dtype, layersKept: number, { tokens, usedBytes }: KvState): string {
  const rows = partsOf(dtype).map((part) => {
    const { scaleBytes } = kvStorage(part);
    const scales = scaleBytes > 0 ? ` + ${model.config.nHead} scales · ${scaleBytes} bytes` : "";
    const row = `${model.dims.a4 * 4} width · ${formatOf(part).bytes} bytes${scales}`;
    return scales ? `(${row})` : row;
  });
  const [k, v] = rows,
    both = k === v ? `2 · ${layersKept} layers · ${k}` : `${layersKept} layers · (${k} + ${v})`;
  return `${both} · ${tokens} tokens = ${usedBytes}`;
}

function assertKvBytes(
  model: Model,
  { name, dtype, layersKept }: { name: string; dtype: Dtype; layersKept: number },
  state: KvState,
  tokens: number,
): void {
  const { nHead } = model.config, { a4 } = model.dims;
  const formula = layersKept * kvRowBytes({ nHead, a4, dtype }) * tokens;
  if (state.usedBytes !== formula || state.tokens !== tokens) {
    throw new KvbenchError(
      `${name} says that ${state.tokens} tokens use ${state.usedBytes} bytes: ` +
        `the formula for ${tokens} tokens gives ${formula}`,
    );
  }
  const { kv } = model.gpu.ledger.current;
  if (kv !== state.allocatedBytes) {
    throw new KvbenchError(
      `${name} says that K and V hold ${state.allocatedBytes} bytes: the ledger says ${kv}`,
    );
  }
}
