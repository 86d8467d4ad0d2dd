/**
 * The GPU memory that a piece of work takes beside the weights, computed before anything is allocated: K and V,
 * activations, tables, readbacks. Allocates nothing and knows no device but its limits; tests hold it against the
 * ledger.
 */
import { type KvDtype, rotatesAny } from "../formats/kv_dtype.ts";
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import { ROW_BYTES, TEXEL_BYTES, unevenBytes } from "../gpu/texels.ts";
import { MOST_COPIES } from "../kv/slot_copier.ts";
import { isWholeTexels, kvHeadBytes, kvRowBytes } from "../kv/shape.ts";
import type { Kv } from "../kv/strategy_def.ts";
import { type BatchLimits, TILE_ROWS } from "../model/batch.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { dimsOf } from "../model/dims.ts";

import { paddedRows } from "../../wgsl/ops/linear/forms.ts";
import { splitsOf, type Tuning } from "../model/tuning.ts";
import { decodingKv, type NamedStrategy } from "./decoding_kv.ts";
import { groupKv, type GroupNeed } from "./group_kv.ts";
import { readbackBytes, type RunnerOptions, STEPS_PER_SUBMISSION } from "./runner.ts";
import type { DecodingOptions } from "./with_decoder.ts";

/** The bounds of a single buffer or texture. */
export type SizeLimits = Pick<
  GPUSupportedLimits,
  "maxBufferSize" | "maxStorageBufferBindingSize" | "maxTextureDimension2D"
>;

/** The model and the device that a need depends on beside the work. */
export interface NeedContext {
  readonly config: Gpt2Config;
  readonly tuning: Tuning;
  /** Storage type of weight matrices. Default: float32. */
  readonly weightsDtype?: Dtype | undefined;
  /** Those of the device. */
  readonly limits: SizeLimits;
}

/** A buffer or texture that can't be split. */
interface Piece {
  readonly what: string;
  readonly bytes: number;
  /** The most bytes that the device allows it. */
  readonly mostBytes: number;
}

/** Bytes that a piece of work takes beside the weights. */
export interface WorkNeed {
  readonly kvBytes: number;
  readonly activationsBytes: number;
  /** Tables of steps and blocks, readbacks, and other small things. */
  readonly otherBytes: number;
  /** On the host. */
  readonly hostBytes: number;
  /** The piece that comes nearest to its limit, or is the farthest beyond it. */
  readonly largest: Piece;
}

/** All of it, in bytes. */
export function totalOf({ kvBytes, activationsBytes, otherBytes, hostBytes }: WorkNeed): number {
  return kvBytes + activationsBytes + otherBytes + hostBytes;
}

export const NOTHING: WorkNeed = {
  kvBytes: 0,
  activationsBytes: 0,
  otherBytes: 0,
  hostBytes: 0,
  largest: { what: "nothing", bytes: 0, mostBytes: 1 },
};

/** Adds up what several pieces of work take that hold their memory at the same time. */
export function together(...needs: readonly WorkNeed[]): WorkNeed {
  return needs.reduce((a, b) => ({
    kvBytes: a.kvBytes + b.kvBytes,
    activationsBytes: a.activationsBytes + b.activationsBytes,
    otherBytes: a.otherBytes + b.otherBytes,
    hostBytes: a.hostBytes + b.hostBytes,
    largest: tighter(a.largest, b.largest),
  }), NOTHING);
}

/** Returns what several pieces of work take of which each gives its memory back before the next one begins. */
export function inTurn(...needs: readonly WorkNeed[]): WorkNeed {
  const most = needs.reduce((a, b) => totalOf(b) > totalOf(a) ? b : a, NOTHING);
  return { ...most, largest: needs.map(({ largest }) => largest).reduce(tighter, NOTHING.largest) };
}

/** Adds bytes of neither K/V nor activations. */
export function withOther(
  need: WorkNeed,
  bytes: { readonly gpu?: number; readonly host?: number },
): WorkNeed {
  return {
    ...need,
    otherBytes: need.otherBytes + (bytes.gpu ?? 0),
    hostBytes: need.hostBytes + (bytes.host ?? 0),
  };
}

/**
 * Computes what a decoder takes, with the largest readback; see `decoder.ts`.
 *
 * @param kv Its K/V memory. Default: that of the options' strategy.
 */
export function decodingNeed(
  context: NeedContext,
  options: DecodingOptions,
  kv: Kv = decodingKv(context.config, options),
): WorkNeed {
  const { nSequences, maxTokens, maxPromptTokens, maxOutputs = nSequences, kvDtype = DEFAULT_DTYPE } =
    options;
  const { config } = context;
  const { traits: { keeps }, maxChunk } = kv.policy;
  const limits = {
    maxRows: nSequences * (keeps === "nothing" ? maxTokens : Math.min(maxPromptTokens, maxChunk)),
    maxSpans: nSequences,
    maxOutputs,
  };
  const memory = kvNeed(context, kv, { nSequences, kvDtype, texels: context.tuning.texels });
  return withOther(together(memory, batchesNeed(context, limits, kvDtype)), {
    gpu: readbackNeed(config, limits),
  });
}

/** Computes what many sequences over one memory take; see `runner.ts`. */
export function sharedNeed(
  context: NeedContext,
  kv: Kv,
  { maxSequences, maxRows, kvDtype = DEFAULT_DTYPE }: Omit<RunnerOptions, "movesSlots">,
): WorkNeed {
  const { config } = context, moves = kv.policy.traits.keeps !== "nothing";
  const limits = { maxRows, maxSpans: maxSequences, maxOutputs: maxSequences };
  return withOther(
    together(
      kvNeed(context, kv, { nSequences: maxSequences, kvDtype, texels: !moves && context.tuning.texels }),
      batchesNeed(context, limits, kvDtype),
    ),
    { gpu: (moves ? MOST_COPIES * 12 : 0) + readbackNeed(config, limits) },
  );
}

/** Computes what readbacks take: of a step's ids and logits, and of all ids of all sequences. */
function readbackNeed(config: Gpt2Config, limits: BatchLimits): number {
  const { ids, logits } = readbackBytes(dimsOf(config).v4, limits);
  return ids + logits + limits.maxSpans * config.nCtx * 4;
}

/** Computes what several continuations of one prompt take, sampled or searched for. */
export function groupNeed(
  context: NeedContext,
  options: GroupNeed & NamedStrategy & Pick<RunnerOptions, "kvDtype">,
): WorkNeed {
  const { kv, maxRows } = groupKv(options, context.config, options);
  return sharedNeed(context, kv, {
    maxSequences: options.nSequences,
    maxRows,
    ...(options.kvDtype && { kvDtype: options.kvDtype }),
  });
}

interface Slots {
  /** Of a layer. */
  readonly count: number;
  /** Layers that have memory of their own. */
  readonly layers: number;
  /** True if textures are asked for. */
  readonly texels: boolean;
  readonly tableBytes: number;
}

/** Computes what a strategy's pool takes, or comes to take by growth. */
function kvNeed(
  context: NeedContext,
  { policy, addressing: { table, mostSlots, layersKept }, around }: Kv,
  { nSequences, kvDtype, texels }: {
    readonly nSequences: number;
    readonly kvDtype: KvDtype;
    readonly texels: boolean;
  },
): WorkNeed {
  const { nHead, nLayer } = context.config;
  const shape = { a4: dimsOf(context.config).a4, nHead, dtype: kvDtype, nSequences, texels };
  const own = around?.bytes(shape, nLayer);
  const need = slotsNeed(context, shape, {
    count: own ? policy.nSlots : mostSlots ?? policy.nSlots,
    // While a cache grows, one layer's old memory is still there.
    layers: layersKept + (own || mostSlots === undefined ? 0 : 1),
    texels,
    tableBytes: "width" in table ? 4 * nSequences * table.width : 16,
  });
  if (own === undefined) return need;
  const piece = { what: "K/V around attention", bytes: own.largestKv, mostBytes: need.largest.mostBytes };
  const kv = { ...NOTHING, kvBytes: own.kv, otherBytes: own.other, hostBytes: own.host ?? 0, largest: piece };
  return together(need, kv);
}

function slotsNeed(
  { limits }: NeedContext,
  shape: Parameters<typeof kvRowBytes>[0],
  { count, layers, texels, tableBytes }: Slots,
): WorkNeed {
  const slotBytes = kvHeadBytes(shape).reduce((sum, { values }) => sum + shape.nHead * values, 0);
  const inTexels = texels && isWholeTexels(shape) &&
    Math.max(count, slotBytes / TEXEL_BYTES) <= limits.maxTextureDimension2D;
  const largest = {
    what: "a layer's K/V",
    bytes: count * slotBytes,
    mostBytes: inTexels ? slotBytes * limits.maxTextureDimension2D : bindable(limits),
  };
  const scaleBytes = kvRowBytes(shape) - slotBytes;
  const kvBytes = layers * (rounded(count * slotBytes) + (scaleBytes > 0 ? rounded(count * scaleBytes) : 0));
  return { ...NOTHING, kvBytes, otherBytes: rounded(tableBytes), largest };
}

/** Stands for biases that a checkpoint does not have; counted here, since no parameter is. */
const NO_BIAS_BYTES = 16;

/** Activations and tables of steps within limits; see `workspace.ts` and `step_tables.ts`. */
function batchesNeed(
  { config, tuning, weightsDtype = DEFAULT_DTYPE, limits }: NeedContext,
  batch: BatchLimits,
  kvDtype: KvDtype,
): WorkNeed {
  const { e4, a4, i4, v4, headDim4 } = dimsOf(config);
  const { maxRows, maxSpans, maxOutputs } = batch;
  const padded = (rows: number) => paddedRows(rows, tuning, weightsDtype);
  const rows = padded(maxRows), outputs = padded(maxOutputs);
  const splits = tuning.splitTokens === 0 ? 0 : maxSpans * config.nHead * splitsOf(config.nCtx, tuning);
  const buffers: readonly [string, number][] = [
    ["the residual stream of all rows", rows * e4 * 16],
    ["the logits of all sequences", outputs * v4 * 16],
    ["what split attention keeps", splits * (headDim4 + 1) * 16],
    ["the likeliest tokens of parts", tuning.argmaxParts > 1 ? outputs * tuning.argmaxParts * 8 : 0],
  ];
  const operands: readonly [string, number][] = [
    ["the normed rows", rows * e4 * 16],
    ["queries, keys and values of all rows", rows * 3 * a4 * 16],
    ...rotatesAny(kvDtype)
      ? [["the rotated queries, keys and values of all rows", rows * 3 * a4 * 16] as [string, number]]
      : [],
    ["the attended rows", rows * a4 * 16],
    ["the feed-forward layer of all rows", rows * i4 * 16],
    ["the last rows", outputs * e4 * 16],
  ];
  const inBuffer = ([what, bytes]: [string, number]): Piece => ({ what, bytes, mostBytes: bindable(limits) });
  const operand = ([what, bytes]: [string, number]): Piece =>
    tuning.texels
      ? {
        what,
        bytes: unevenBytes(bytes),
        mostBytes: ROW_BYTES * limits.maxTextureDimension2D,
      }
      : inBuffer([what, bytes]);
  const pieces = [
    ...buffers.map(([...piece]) => inBuffer(piece)),
    ...operands.map(([...piece]) => operand(piece)),
  ];
  const maxTiles = Math.ceil(maxRows / TILE_ROWS) + maxSpans;
  const parts = [4, 2 * maxRows, 4 * maxTiles, 4 * maxOutputs].map((words) =>
    Math.ceil(Math.max(words * 4, 16) / 256) * 256
  );
  const stepTables = STEPS_PER_SUBMISSION * parts.reduce((sum, bytes) => sum + bytes, 0);
  return {
    ...NOTHING,
    activationsBytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    otherBytes: stepTables + rounded(maxSpans * config.nCtx * 4) + maxSpans * 16 + NO_BIAS_BYTES,
    hostBytes: stepTables, // their mirror
    largest: pieces.reduce(tighter),
  };
}

function tighter(a: Piece, b: Piece): Piece {
  return b.bytes / b.mostBytes > a.bytes / a.mostBytes ? b : a;
}

function bindable({ maxBufferSize, maxStorageBufferBindingSize }: SizeLimits): number {
  return Math.min(maxBufferSize, maxStorageBufferBindingSize);
}

/** Buffers are multiples of 16 bytes. */
function rounded(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}
