/**
 * Trials: a kernel's inputs, and the outputs that are expected of it. Operators declare them; `src/check` runs them.
 */
import { compare, type CompareOptions, type Comparison } from "../base/comparison.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Dtype } from "../formats/registry.ts";
import type { KvSource } from "../kv/source.ts";
import type { Span } from "./batch.ts";
import type { KernelContext, KernelPlan, Uses } from "./plan.ts";
import type { Tuning } from "./tuning.ts";

/** A kind of K/V memory, with a storage type. */
export interface CheckedKv {
  /** Name of the memory. */
  readonly kind: string;
  /** Storage type of K and V. */
  readonly dtype: Dtype;
}

/** The model that is checked. */
export interface CheckedModel {
  /** The model's dimensions. Where a kernel does the same many times over, it is checked on fewer. */
  readonly config: Gpt2Config;
  /** The kernel variants. */
  readonly tunings: readonly [Tuning, ...Tuning[]];
  /** Storage type of weight matrices. */
  readonly weightsDtypes: readonly Dtype[];
  /** Storage type of K and V. */
  readonly kvDtypes: readonly Dtype[];
  /** K/V memories: every kind with the first storage type, and the kind with the longest way to a slot with the others too. */
  readonly kvMemories: readonly CheckedKv[];
}

/** The most outputs, tokens and heads that are checked: the reference is slow, and further ones would show nothing new. */
export const MOST_CHECKED = { outputs: 512, tokens: 2048, heads: 4 } as const;

/** K/V memory of a trial. */
export interface TrialKv extends CheckedKv {
  readonly nSequences: number;
  readonly tokensPerSequence: number;
  readonly nHead: number;
  /** Width of K, and of V, in vectors of four. */
  readonly a4: number;
  /** The value of every byte before the kernels run. */
  readonly byte: number;
  /** Tokens whose K and V are stored before: [2, A4 * 4] each. */
  readonly tokens?: readonly KvToken[];
}

/** K and V of one token. */
export interface KvToken {
  readonly sequence: number;
  readonly position: number;
  readonly values: Float32Array;
}

/** K and V as the kernels have left them. */
export interface KvOutcome {
  /** Slots in all, used or not. */
  readonly nSlots: number;
  /** Finds the slot of a token. */
  slot(sequence: number, position: number): number;
  /** Tells whether the token at `position` is attended to from the one at `row`. */
  isVisible(row: number, position: number): boolean;
  /** Reads a slot: [2, A4 * 4]. */
  load(slot: number): Float32Array;
  /** Measures how far a slot is from values that were stored there, in units of what rounding explains. */
  error(slot: number, values: Float32Array): number;
  /** Tells whether every byte of a slot is `byte`. */
  isFilledWith(slot: number, byte: number): boolean;
}

/** The results that the kernels of a trial have left. */
interface Outcome {
  /** Reads a buffer or texture. */
  floats(name: string): Promise<Float32Array>;
  /** Reads a buffer as words. */
  words(name: string): Promise<Uint32Array>;
  /** Reads K and V. */
  kv(): Promise<KvOutcome>;
}

/** A dispatch of a trial. */
export interface TrialDispatch {
  /** The bindings of its kernel. */
  readonly uses: Uses;
  /** Names of the buffers that are bound, by binding, where the two names differ. */
  readonly bound?: Readonly<Record<string, string>>;
  /** The side of K and V that it binds. Default: neither. */
  readonly kv?: "read" | "write";
  /** Plans the kernel, as the model does; `kv` is there where the trial has K/V memory. */
  plan(context: KernelContext, kv: KvSource | undefined): KernelPlan;
}

/** Dispatches over one batch, and what is expected of them. */
export interface Trial {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** Storage type of weight matrices. Default: as they are. */
  readonly weightsDtype?: Dtype;
  /** The batch. */
  readonly spans: readonly Span[];
  /** The bound values, by name. NaN is poison: what a kernel must neither read nor write. */
  readonly buffers: Readonly<Record<string, ArrayBufferView<ArrayBuffer>>>;
  /** K/V memory. Default: none. */
  readonly kv?: TrialKv;
  /** The dispatches, in their order. */
  readonly dispatches: readonly TrialDispatch[];
  /** Compares what they leave behind with what is expected. */
  judge(outcome: Outcome): Promise<Comparison>;
}

/** Judges by one buffer, poison included. */
export function expecting(
  name: string,
  expected: Float32Array,
  options: CompareOptions,
): Trial["judge"] {
  return async (outcome) => compare(await outcome.floats(name), expected, options);
}
