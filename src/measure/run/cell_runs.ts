/**
 * The runs that a cell is measured by, each for one thing: a latency run has two fences and nothing else in it, a
 * memory run looks at the ledger after every token, a per-token run has a fence behind every token, and a GPU run has
 * timestamps.
 *
 * @module
 */
import type { Decoder } from "../../engine/decoder.ts";
import { KvbenchError } from "../../base/errors.ts";
import { type Dtype, formatOf, kvStorage } from "../../formats/registry.ts";
import { Timestamps } from "../../gpu/timestamps.ts";
import { kvRowBytes, type KvStrategy, type KvUsage } from "../../kv/strategy.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import type { Cell } from "../record/cell.ts";
import type { Timing } from "../record/result.ts";
import { mean } from "../statistics/statistics.ts";

/** What every sequence of a cell is given and asked for. */
export interface Work {
  /** One prompt per sequence, all of one length. */
  readonly prompts: readonly (readonly number[])[];
  /** Tokens to generate per sequence. */
  readonly newTokens: number;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
}

/** What a memory run yields. */
export interface MemoryRun {
  /** Generated ids: [batch][new tokens]. */
  readonly ids: number[][];
  /** Bytes. */
  readonly memory: Cell["memory"];
  /** GPU dispatches of a decode step. */
  readonly dispatchesPerToken: number;
}

/** Milliseconds to the tenth of a microsecond: finer than the clock. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}

/**
 * Decodes once, a token at a time, looking at the ledger and the strategy after each. The ledger's peak must have been
 * reset before the decoder was made.
 *
 * @throws {KvbenchError} If K/V bytes are not what the formula and the ledger say.
 */
export async function memoryRun(
  model: Gpt2,
  { prompts, newTokens, kvDtype }: Work,
  decoder: Decoder,
  strategy: KvStrategy,
): Promise<MemoryRun> {
  const { ledger } = model.gpu;
  const usages: KvUsage[] = [];
  const totals: number[] = [];
  decoder.begin(prompts);
  let prefillDispatches = 0;
  for (let token = 1; token <= newTokens; token++) {
    decoder.advance(1);
    if (token === 1) prefillDispatches = decoder.dispatches;
    usages.push(strategy.usage());
    totals.push(ledger.current.total);
  }
  const peak = ledger.peak, end = ledger.current; // before the readback, which is not the strategy's
  const promptTokens = prompts[0]!.length;
  const ids = await decoder.ids(promptTokens);
  const usage = usages.at(-1)!;
  const format = { name: strategy.name, dtype: kvDtype };
  assertKvBytes(model, format, usage, prompts.length * (promptTokens + newTokens - 1));
  const decodeDispatches = decoder.dispatches - prefillDispatches;
  // What is reserved and not used is for later as far as this run's last token fills it, and else never used.
  const later = usages.map(({ reservedBytes, usedBytes }) =>
    Math.max(0, Math.min(reservedBytes, usage.usedBytes) - usedBytes)
  );
  return {
    ids,
    memory: {
      peak_bytes: peak,
      end_bytes: end,
      kv_tokens: usage.tokens,
      kv_layers_kept: usage.layersKept,
      kv_used_bytes: usage.usedBytes,
      kv_reserved_bytes: usage.reservedBytes,
      kv_allocated_bytes: usage.allocatedBytes,
      kv_formula: kvFormula(model, kvDtype, usage),
      timeline: {
        total_bytes: totals,
        kv_allocated_bytes: usages.map(({ allocatedBytes }) => allocatedBytes),
        kv_used_bytes: usages.map(({ usedBytes }) => usedBytes),
        kv_for_later_bytes: later,
        kv_internal_bytes: usages.map(({ reservedBytes, usedBytes }, i) =>
          reservedBytes - usedBytes - later[i]!
        ),
        kv_external_bytes: usages.map(({ externalBytes }) => externalBytes),
      },
    },
    dispatchesPerToken: newTokens > 1 ? decodeDispatches / (newTokens - 1) : prefillDispatches,
  };
}

/** One timed request: prefill, fence, decode, fence. */
export async function latencyRun(
  model: Gpt2,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<Omit<Timing, "yardstick_ms"> & { ids: number[][] }> {
  const { fence } = model.gpu;
  await fence.wait();
  const encodedMs = decoder.encodeMs;
  const start = performance.now();
  decoder.begin(prompts);
  decoder.advance(1);
  await fence.wait();
  const first = performance.now();
  decoder.advance(newTokens - 1);
  await fence.wait();
  const end = performance.now();
  const ids = await decoder.ids(prompts[0]!.length);
  return {
    ttft_ms: roundMs(first - start),
    e2e_ms: roundMs(end - start),
    encode_ms: roundMs(decoder.encodeMs - encodedMs),
    ids,
  };
}

/**
 * One request with a fence after every token; returns the gaps, in ms.
 *
 * @throws {KvbenchError} If the device fails.
 */
export async function perTokenRun(
  model: Gpt2,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<number[]> {
  const { fence } = model.gpu;
  decoder.begin(prompts);
  decoder.advance(1);
  await fence.wait();
  const gaps: number[] = [];
  let last = performance.now();
  for (let token = 1; token < newTokens; token++) {
    decoder.advance(1);
    await fence.wait();
    const now = performance.now();
    gaps.push(roundMs(now - last));
    last = now;
  }
  model.gpu.assertHealthy();
  return gaps;
}

/** One request with a timed pass for every decode step; returns the mean GPU time of a step in ms, null without timestamps. */
export async function gpuRun(
  model: Gpt2,
  { prompts, newTokens }: Work,
  decoder: Decoder,
): Promise<number | null> {
  const timestamps = newTokens > 1 ? Timestamps.create(model.gpu, newTokens - 1) : undefined;
  if (!timestamps) return null;
  try {
    decoder.begin(prompts);
    decoder.advance(1);
    decoder.timePasses(timestamps);
    for (let token = 1; token < newTokens; token++) decoder.advance(1);
    return roundMs(mean(await timestamps.readMs()));
  } finally {
    decoder.timePasses(undefined);
    timestamps.dispose();
  }
}

/** The formula that used K/V bytes must equal, with its figures. */
function kvFormula(model: Gpt2, dtype: Dtype, { layersKept, tokens, usedBytes }: KvUsage): string {
  const { scaleBytes } = kvStorage(dtype);
  const scales = scaleBytes > 0 ? ` + ${model.config.nHead} scales · ${scaleBytes} bytes` : "";
  const row = `${model.dims.a4 * 4} width · ${formatOf(dtype).bytes} bytes${scales}`;
  return `2 · ${layersKept} layers · ${scales ? `(${row})` : row} · ${tokens} tokens = ${usedBytes}`;
}

function assertKvBytes(
  model: Gpt2,
  { name, dtype }: { name: string; dtype: Dtype },
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
