/**
 * The bytes and multiply-adds of one step's kernels, from shapes alone: the costs that operators declare, as often as a
 * step has them. Host only; what they take is measured elsewhere.
 */
import { ARGMAX, ARGMAX_JOIN } from "../../wgsl/ops/argmax/operator.ts";
import { ATTENTION_COMBINE, ATTENTION_DECODE, ATTENTION_PREFILL } from "../../wgsl/ops/attention/operator.ts";
import { EMBEDDING } from "../../wgsl/ops/embedding/operator.ts";
import { KV_WRITE } from "../../wgsl/ops/kv_write/operator.ts";
import { LAYER_NORM } from "../../wgsl/ops/layer_norm/operator.ts";
import { type HeadParts, headPartsOf, normsRows } from "../../wgsl/ops/linear/forms.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { ROTATE, ROTATION_BACK, rotationOf } from "../../wgsl/ops/rotate/operator.ts";
import { kvStorages } from "../formats/kv_dtype.ts";
import { type Batch, batchOf } from "./batch.ts";
import { dimsOf } from "./dims.ts";
import { joinsSplits, productsOf } from "./kernels.ts";
import type { Cost, CostModel, Operator } from "./operator.ts";

/** The labels of kernels. */
export const ROLES = [
  "embedding",
  "norm",
  "qkv",
  "rotate",
  "rotate back",
  "kv write",
  "attention prefill",
  "attention decode",
  "attention combine",
  "proj",
  "fc",
  "out",
  "final norm",
  "head",
  "argmax",
  "argmax join",
  "sample",
] as const;
type Role = typeof ROLES[number];

/**
 * Computes the costs of one step with a greedy choice, by kernel, a strategy's own among them; what the step does not
 * dispatch costs nothing.
 */
export function stepCosts(
  batch: Batch,
  model: CostModel,
): Record<Exclude<Role, "sample">, Cost> & Readonly<Record<string, Cost>> {
  const { config: { nLayer }, tuning, kvDtype, storedRows = 0, joinedRows = 0 } = model;
  const [k, v] = kvStorages(kvDtype).map(({ rotates = false }) => rotates) as [boolean, boolean];
  const dims = dimsOf(model.config), products = productsOf(dims);
  const head = products.head({ n4: dims.v4, firstN4: 0 });
  const [best] = headPartsOf(tuning, [head]) as [HeadParts], chosen = batch.nOutputs <= tuning.chosenRows;
  const joined = chosen ? best.parts : tuning.argmaxParts;
  const { nRows, nOutputs, nPrefillTiles, nDecodeTiles } = batch, stores = nRows <= storedRows;
  const joins = joinsSplits(batch, joinedRows);
  const cost = <Of>(count: number, operator: Pick<Operator<never, Of>, "cost">, of: Of): Cost => {
    if (count === 0) return { bytes: 0, macs: 0 };
    const { bytes, macs } = operator.cost(batch, model, of);
    return { bytes: count * bytes, macs: count * macs };
  };
  const decodes = nDecodeTiles > 0 ? nLayer : 0, final = nOutputs > 0 ? 1 : 0;
  const combine = cost(tuning.splitTokens > 0 ? decodes : 0, ATTENTION_COMBINE, undefined);
  const proj = cost(nLayer, LINEAR, products.proj);
  return {
    "embedding": cost(1, EMBEDDING, { k4: dims.e4, n4: dims.v4, firstN4: 0 }),
    "norm": cost(normsRows(nRows, tuning) ? 0 : 2 * nLayer, LAYER_NORM, { gather: false }),
    "qkv": cost(nLayer, LINEAR, { ...products.qkv, stores }),
    "rotate": cost(k || v ? nLayer : 0, ROTATE, rotationOf([k, v])),
    "rotate back": cost(v ? nLayer : 0, ROTATE, ROTATION_BACK),
    "kv write": cost(stores ? 0 : nLayer, KV_WRITE, undefined),
    "attention prefill": cost(nPrefillTiles > 0 ? nLayer : 0, ATTENTION_PREFILL, undefined),
    "attention decode": cost(decodes, ATTENTION_DECODE, undefined),
    "attention combine": joins ? { bytes: 0, macs: 0 } : combine,
    "proj": joins ? joinedCost(proj, combine, nLayer * nRows * 16 * dims.a4) : proj,
    "fc": cost(nLayer, LINEAR, products.fc),
    "out": cost(nLayer, LINEAR, products.out),
    "final norm": cost(final, LAYER_NORM, { gather: true }),
    "head": cost(final, LINEAR, { ...head, best }),
    "argmax": cost(chosen ? 0 : 1, ARGMAX, undefined),
    "argmax join": cost(joined > 1 ? 1 : 0, ARGMAX_JOIN, { parts: joined }),
    ...model.around?.costs(batch),
  };
}

/** Computes what a step costs in all that computes `count` tokens of a sequence behind `first`, and its next token. */
export function sequenceCost(
  { first, count }: { readonly first: number; readonly count: number },
  model: CostModel,
): Cost {
  const costs = Object.values(stepCosts(batchOf([{ sequence: 0, first, count, outputs: 1 }]), model));
  const total = (key: keyof Cost) => costs.reduce((sum, cost) => sum + cost[key], 0);
  return { bytes: total("bytes"), macs: total("macs") };
}

/** Adds up costs of two dispatches of which the first one's result, of so many bytes, is neither written nor read. */
function joinedCost(a: Cost, b: Cost, bytes: number): Cost {
  return { bytes: a.bytes + b.bytes - 2 * bytes, macs: a.macs + b.macs };
}
