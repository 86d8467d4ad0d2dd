/**
 * The declaration of a strategy: everything that other parts of kvbench ask about one. A new strategy is a folder with
 * its definition, a policy and, where its addresses are new, a WGSL file; the registry makes it known to all commands.
 */
import { UsageError } from "../base/errors.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { KvAroundDef } from "./around.ts";
import type { ReadSlots } from "./source.ts";
import type { KvPolicy, KvTraits } from "./policy.ts";

/** A value of an option; null where the option does not apply, or is left to the strategy. */
export type KvValue = string | number | null;

/** Options of a strategy by their names in results, which are snake_case. */
export type KvOptions = Readonly<Record<string, KvValue>>;

/** An option of one strategy, or of several that share the object. */
export interface KvOption {
  /** The flag of the command line, without dashes; also the name in `--sweep`. */
  readonly flag: string;
  /** The placeholder of the value in help, such as `tokens`. */
  readonly placeholder: string;
  /** One line of help. */
  readonly help: string;
  /** The words before its value in labels; empty where the value says it all. */
  readonly label: string;
  /** The values that it takes: integers within bounds, or one of some names. */
  readonly values: { readonly min: number; readonly max: number } | readonly string[];
  /** The default; null leaves it to the strategy. */
  readonly default: KvValue;
  /** The default in words. */
  readonly defaultText?: string;
  /** True if a benchmark puts the model's context in the place of null. Default: false. */
  readonly isContextLength?: boolean;
  /** Returns whether it applies beside the others. Default: always. */
  applies?(others: KvOptions): boolean;
}

/** The sequences and the budget that K/V memory is made for. */
export interface KvNeed {
  /** Sequences that are open at once at most. */
  readonly nSequences: number;
  /** Layers of the model. */
  readonly nLayer: number;
  /** The model's context, in tokens. */
  readonly nCtx: number;
  /** The longest sequence, in tokens. */
  readonly maxTokens: number;
  /** The longest prompt, in tokens. Default: the longest sequence. */
  readonly maxPromptTokens?: number;
  /** Tokens that a step computes at most. */
  readonly maxRows: number;
  /** Tokens that all layers together have room for; undefined for room for `nSequences` of the longest sequences. */
  readonly budgetTokens: number | undefined;
  /** Tokens that host memory has room for. */
  readonly swapTokens: number;
  /** Blocks that an admission leaves free; undefined for 1 %. */
  readonly watermark: number | undefined;
}

/** The GPU's side of a strategy: how kernels find a token's K and V. */
export interface KvAddressing {
  /** WGSL that provides `kv slots` and `kv entries`: it defines `kv_slot()`, `kv_entries()`, `kv_visible()` and `kv_entry()`. */
  readonly files: readonly WgslFile[];
  /**
   * The table that `kv_slot()` reads: a uniform with the slots of each sequence's region, or a row of words for each sequence
   * which {@linkcode KvPolicy.place} fills.
   */
  readonly table: { readonly slotsPerSequence: number } | { readonly width: number };
  /** The memory that operators around attention put K and V in for it to read. Default: where they are stored. */
  readonly read?: ReadSlots;
  /** The most slots of a layer. Default: as many as the policy begins with. */
  readonly mostSlots?: number;
  /** Slots that lie together, head by head: see `kv_groups.wgsl`. */
  readonly slotGroup: number;
  /** Layers that have memory of their own; with 1, all layers share it. */
  readonly layersKept: number;
  /** Overrides that the files declare. */
  readonly overrides?: Readonly<Record<string, number>>;
}

/** Memory to check a strategy's kernels with, worked out without its policy. */
export interface AddressCase {
  /** Names the case beside others. */
  readonly name: string;
  /** Returns how tokens of some sequences are laid out. */
  lay(sequences: { readonly nSequences: number; readonly tokensPerSequence: number }): {
    readonly addressing: KvAddressing;
    /** Words of the address table. */
    readonly table: readonly number[];
    /** Slots in all, used or not. */
    readonly nSlots: number;
    /** Returns the slot of a token. */
    slot(sequence: number, position: number): number;
    /** Returns whether the token at `position` is attended to from the one at `row`. Default: up to its own. */
    isVisible?(row: number, position: number): boolean;
  };
}

/** A comparison that shows a strategy without being asked to. */
export type DefaultComparison = "bench" | "serving";

/** A strategy. */
export interface StrategyDef {
  /** Its name in options and results. */
  readonly name: string;
  /** Its line in charts: colours for light and dark screens, and whether it is dashed, since it lies on another one's. */
  readonly line: { readonly light: string; readonly dark: string; readonly dashed?: boolean };
  /** The comparisons that show it by default. */
  readonly comparedIn: readonly DefaultComparison[];
  /** Its traits. */
  readonly traits: KvTraits;
  /** Its options by their names in results. */
  readonly options: Readonly<Record<string, KvOption>>;
  /**
   * Makes the policy.
   *
   * @throws {UsageError} If the memory has no room for a single block or region.
   */
  policy(need: KvNeed, options: KvOptions): KvPolicy;
  /** Says how kernels find K and V. */
  addressing(need: KvNeed, options: KvOptions): KvAddressing;
  /** Options with which its memory grows by copying, as concatenating caches do. Default: it does not grow so. */
  readonly concatenating?: KvOptions;
  /** @internal Says which operators it has around attention. Default: none. */
  around?(need: KvNeed, options: KvOptions): KvAroundDef | undefined;
  /** Returns the room that continuations of one prompt need. Default: that of the longest sequence for each. */
  groupTokens?(
    group: { readonly promptTokens: number; readonly newTokens: number; readonly nSequences: number },
    options: KvOptions,
  ): number;
  /**
   * Makes another way to the same logits, such as a full computation with the same mask. No time of a strategy that is not
   * exact is reported unless its logits are the reference's. Exact strategies are compared with each other, and have none.
   */
  reference?(need: KvNeed, options: KvOptions): Kv;
  /** Memory to check its kernels with. */
  readonly cases: readonly AddressCase[];
}

/**
 * Checks that a strategy's sequences can be forked.
 *
 * @throws {UsageError} If they cannot.
 * @internal Strategies do not ask it of themselves.
 */
export function checkForks({ name, traits: { unforked } }: Pick<StrategyDef, "name" | "traits">): void {
  if (unforked === undefined) return;
  throw new UsageError(
    `${name} cannot fork sequences, since ${unforked}: expected one continuation, or another strategy`,
  );
}

/** A strategy with values for its options. */
export interface KvChoice {
  /** The strategy. */
  readonly strategy: StrategyDef;
  /** A value for each of its options. */
  readonly options: KvOptions;
}

/** Both sides of a strategy, made for one need. */
export interface Kv {
  /** The strategy, or its name in errors and what it is. */
  readonly strategy: Pick<StrategyDef, "name" | "traits">;
  /** The host's side. */
  readonly policy: KvPolicy;
  /** The GPU's side. */
  readonly addressing: KvAddressing;
  /**
   * Its operators around attention.
   *
   * @internal As long as what such an operator records may change.
   */
  readonly around?: KvAroundDef;
}

/**
 * Makes both sides of a strategy.
 *
 * @throws {UsageError} If the memory has no room for a single block or region.
 */
export function makeKv({ strategy, options }: KvChoice, need: KvNeed): Kv {
  const around = strategy.around?.(need, options);
  return {
    strategy,
    policy: strategy.policy(need, options),
    addressing: strategy.addressing(need, options),
    ...(around && { around }),
  };
}
