/**
 * `window`: attention sinks and a sliding window. A row attends to the first tokens and to the last ones, and K and V of
 * those between are overwritten, so that memory does not grow with the text (StreamingLLM, Xiao et al. 2023, arXiv
 * 2309.17453). Positions stay the tokens' own.
 */
import { UsageError } from "../../base/errors.ts";
import type { WgslFile } from "../../gpu/wgsl.ts";
import { CONTIGUOUS, contiguousAddressing } from "../contiguous/addressing.ts";
import { ContiguousPolicy } from "../contiguous/policy.ts";
import type { AddressCase, KvAddressing, KvNeed, KvOption, KvOptions, StrategyDef } from "../strategy_def.ts";
import ringCode from "./kv_window.wgsl" with { type: "text" };
import maskCode from "./kv_window_mask.wgsl" with { type: "text" };
import { regionOf, ringOf, WINDOW_TRAITS, WindowPolicy, type WindowShape } from "./policy.ts";

const RING: WgslFile = { name: "kv_window.wgsl", code: ringCode };
const MASK: WgslFile = { name: "kv_window_mask.wgsl", code: maskCode };

function option(flag: string, help: string, min: number, value: number): KvOption {
  const values = { min, max: Number.MAX_SAFE_INTEGER };
  return { flag, label: flag, placeholder: "tokens", help, values, default: value };
}

/** A ring of the last tokens, and the first ones. */
export const WINDOW: StrategyDef = {
  name: "window",
  line: { light: "#795548", dark: "#BCAAA4" },
  comparedIn: [],
  traits: WINDOW_TRAITS,
  options: {
    sinks: option("sinks", "First tokens that window keeps", 0, 4),
    window: option("window", "Last tokens that window keeps", 1, 252),
    window_chunk: option("window-chunk", "Tokens of a step of window, which its ring has room for", 1, 16),
  },
  policy: (need, options) => {
    const shape = shapeOf(need, options);
    return new WindowPolicy(regionsIn(need, regionOf(shape)), shape);
  },
  addressing: (need, options) => ringAddressing(shapeOf(need, options), need.nLayer),
  groupTokens: ({ promptTokens, newTokens, nSequences }, options) =>
    nSequences * regionOf(shapeOf({ maxTokens: promptTokens + newTokens }, options)),
  reference: ({ nSequences, nLayer, maxTokens }, options) => {
    const traits = { ...WINDOW_TRAITS, keeps: "all" } as const;
    return {
      strategy: { name: "a full computation with the window's mask", traits },
      policy: new ContiguousPolicy({ traits, nRegions: nSequences, capacity: maxTokens, growth: "static" }),
      addressing: maskAddressing(shapeOf({ maxTokens }, options), nLayer),
    };
  },
  cases: cases(),
};

function shapeOf({ maxTokens }: Pick<KvNeed, "maxTokens">, options: KvOptions): WindowShape {
  const { sinks, window, window_chunk } = options;
  return { sinks: Number(sinks), window: Number(window), chunk: Number(window_chunk), maxTokens };
}

function ringAddressing(shape: WindowShape, layersKept: number): KvAddressing {
  return {
    ...contiguousAddressing(regionOf(shape), layersKept),
    files: [RING, CONTIGUOUS],
    overrides: { SINKS: shape.sinks, WINDOW: shape.window, RING: ringOf(shape) },
  };
}

function maskAddressing({ sinks, window, maxTokens }: WindowShape, layersKept: number): KvAddressing {
  return {
    ...contiguousAddressing(maxTokens, layersKept),
    files: [MASK, CONTIGUOUS],
    overrides: { SINKS: sinks, WINDOW: window },
  };
}

/** Returns the sequences that have a region: all, or as many as the memory has room for. */
function regionsIn({ nSequences, budgetTokens = Infinity }: KvNeed, region: number): number {
  if (budgetTokens >= region) return Math.min(nSequences, Math.floor(budgetTokens / region));
  throw new UsageError(
    `The K/V budget is ${budgetTokens} tokens: expected at least ${region}, one sequence's window`,
  );
}

/** The ring, overwritten, and its reference's memory. */
function cases(): AddressCase[] {
  const sinks = 3, window = 20, chunk = 72; // the longest step of the checks has 65 tokens
  const isVisible = (row: number, position: number) =>
    position <= row && (position < sinks || position > row - window);
  return [{
    name: "window",
    lay: ({ nSequences }) => {
      const shape = { sinks, window, chunk, maxTokens: Infinity }, region = regionOf(shape);
      return {
        addressing: ringAddressing(shape, 1),
        table: [region],
        nSlots: nSequences * region,
        slot: (sequence, position) =>
          sequence * region +
          (position < sinks ? position : sinks + (position - sinks) % (window + chunk - 1)),
        isVisible,
      };
    },
  }, {
    name: "window's mask",
    lay: ({ nSequences, tokensPerSequence: maxTokens }) => ({
      addressing: maskAddressing({ sinks, window, chunk, maxTokens }, 1),
      table: [maxTokens],
      nSlots: nSequences * maxTokens,
      slot: (sequence, position) => sequence * maxTokens + position,
      isVisible,
    }),
  }];
}
