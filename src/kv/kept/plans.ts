/**
 * The kernels of strategies that keep some tokens of each head: what they are compiled from, and their grids.
 */
import type { KernelSpec } from "../../gpu/kernel.ts";
import { lanesOf, type WgslFile } from "../../gpu/wgsl.ts";
import type { KvBatch, KvModel } from "../around.ts";
import type { KvSource } from "../source.ts";
import { KEPT_FILES, KEPT_PLACES } from "./files.ts";
import type { KeptRule } from "./rule.ts";

/** Uses of the bindings of kernels that score the rows of prompts. */
export const SCORE_USES = { x: "operand", work: "readWrite" } as const;
/** Uses of the bindings of the choice among a prompt's tokens. */
export const CHOICE_USES = { kept: "readWrite", work: "readWrite" } as const;
/** Uses of the bindings of what scores single rows. */
export const STEP_USES = { x: "operand", kept: "readWrite" } as const;
/** Uses of the bindings of what stores K and V of chosen tokens. */
export const STORE_USES = { x: "operand", kept: "read" } as const;

/** The surroundings of these kernels. */
export type KeptContext = Pick<KvModel, "layouts" | "nHead" | "headDim" | "lanes" | "input">;

/** A kernel and its workgroups. */
export interface KeptPlan {
  /** Sources, layouts and overrides. */
  readonly spec: KernelSpec;
  /** Returns its workgroups for a step; `longest` is the longest prompt. */
  grid(
    batch: KvBatch,
    sizes: { readonly nSequences: number; readonly longest: number },
  ): [number, number, number];
}

function headOverrides({ nHead, headDim }: KeptContext, kv: KvSource, side: "read" | "write") {
  return { ...kv.overrides[side], N_HEAD: nHead, HEAD_DIM4: Math.ceil(headDim / 4) };
}

/** Says what a kernel that scores rows is compiled from. */
export function scoring(
  context: KeptContext,
  kv: KvSource,
  { label, uses, files, overrides = {} }: {
    readonly label: string;
    readonly uses: Readonly<Record<string, "operand" | "readWrite">>;
    readonly files: readonly WgslFile[];
    readonly overrides?: Readonly<Record<string, number>>;
  },
): KernelSpec {
  const { layouts, headDim, lanes, input } = context;
  return {
    label,
    files: [...files, KEPT_FILES.rows, ...kv.files.read, input],
    groups: [layouts.step, layouts.of(uses), kv.layouts.read],
    overrides: {
      ...headOverrides(context, kv, "read"),
      ...overrides,
      SCALE: 1 / Math.sqrt(headDim),
      LANES: lanes,
    },
  };
}

/** Plans what finds the sums that probabilities are divided by, of rows of prompts. */
export function normsPlan(context: KeptContext, kv: KvSource): KeptPlan {
  const files = [KEPT_FILES.norms, KEPT_FILES.work];
  return {
    spec: scoring(context, kv, { label: "kept norms", uses: SCORE_USES, files }),
    grid: ({ nPrefillTiles, nDecodeTiles }) => [nPrefillTiles + nDecodeTiles, context.nHead, 1],
  };
}

/** Plans what adds up the probabilities of a prompt's tokens. */
export function scoresPlan(context: KeptContext, kv: KvSource): KeptPlan {
  const files = [KEPT_FILES.scores, KEPT_FILES.work];
  return {
    spec: scoring(context, kv, { label: "kept scores", uses: SCORE_USES, files }),
    grid: (_, { nSequences, longest }) => [
      Math.ceil(longest / (4 * context.lanes)),
      context.nHead,
      nSequences,
    ],
  };
}

/** Plans the choice among a prompt's tokens. */
export function choicePlan({ layouts, nHead }: KeptContext, kv: KvSource, rule: KeptRule): KeptPlan {
  const { heavy, recent, pool } = rule;
  return {
    spec: {
      label: "kept choice",
      files: [KEPT_FILES.choice, KEPT_FILES.work, KEPT_FILES.table, KEPT_PLACES],
      groups: [layouts.step, layouts.of(CHOICE_USES), kv.layouts.read],
      overrides: { N_HEAD: nHead, HEAVY: heavy, RECENT: recent, POOL: pool },
    },
    grid: (_, { nSequences }) => [nHead, nSequences, 1],
  };
}

/** Plans what scores single rows and says which entry is free after them. */
export function stepPlan(context: KeptContext, kv: KvSource, { heavy, recent }: KeptRule): KeptPlan {
  const files = [KEPT_FILES.step, KEPT_FILES.table], overrides = { KEPT: heavy + recent, RECENT: recent };
  return {
    spec: scoring(context, kv, { label: "kept step", uses: STEP_USES, files, overrides }),
    grid: ({ nDecodeTiles }) => [context.nHead, nDecodeTiles, 1],
  };
}

/** Plans what stores K and V: of the tokens that were chosen of prompts, or, if `single`, of single rows. */
export function storePlan(context: KeptContext, kv: KvSource, rule: KeptRule, single: boolean): KeptPlan {
  const { layouts, nHead, input } = context, kept = rule.heavy + rule.recent;
  const lanes = lanesOf(KEPT_FILES.store);
  return {
    spec: {
      label: single ? "kept move" : "kept store",
      files: [KEPT_FILES.store, KEPT_FILES.table, ...kv.files.write, input],
      groups: [layouts.step, layouts.of(STORE_USES), kv.layouts.write],
      overrides: { ...headOverrides(context, kv, "write"), KEPT: kept, SINGLE: Number(single) },
    },
    grid: ({ nDecodeTiles }, { nSequences, longest }) =>
      single
        ? [Math.ceil(2 * nHead / lanes), nDecodeTiles, 1]
        : [Math.ceil(2 * nHead * Math.min(longest, kept) / lanes), nSequences, 1],
  };
}
