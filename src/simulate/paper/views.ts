/**
 * The views of Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with PagedAttention"
 * (SOSP '23, arXiv 2309.06180), each made from runs of the serving simulation and set beside the paper's figures.
 */
import { PREEMPTIONS } from "../../engine/scheduler/scheduler_options.ts";
import { sharingStrategy, strategyNames } from "../../kv/registry.ts";
import { seededRandom } from "../../base/random.ts";
import type { ServingEntry } from "../entry.ts";
import { DATA_SETS, type DataSet, drawLengths, LENGTH_MODELS, type RequestLengths } from "../lengths.ts";
import type { ModelShape } from "../model_shape.ts";
import type { ServingPlan } from "../plan.ts";
import { beamSharing } from "./beam_sharing.ts";
import type { View, ViewName } from "./paper_result.ts";

/** The runs that views are made from. */
export interface ViewSource {
  /** Plan of every run, but for what a view varies. */
  readonly plan: ServingPlan;
  readonly shape: ModelShape;
  run(plan: ServingPlan): Promise<ServingEntry[]>;
  /** True where steps run on a GPU, so that times are measured. */
  readonly measured: boolean;
}

/** Makes a view from runs of its own. */
export async function viewOf(name: ViewName, source: ViewSource): Promise<View> {
  const view = await MAKERS[name](source);
  return { name, ...view, differences: [...view.differences, ...commonDifferences(name, source)] };
}

type Made = Omit<View, "name">;

const MAKERS: Readonly<Record<ViewName, (source: ViewSource) => Promise<Made>>> = {
  waste,
  batch,
  sharing,
  prefix,
  "block-size": blockSize,
  preemption,
};

/** Returns the policies of the views that compare several, in the paper's order: baselines and blocks. */
export const compared = (): string[] => strategyNames("serving");
const blocks = () => sharingStrategy().name;
/** The best of the baselines. */
const best = () => compared().filter((name) => name !== blocks()).at(-1)!;
const DATA_SET_TITLES: Readonly<Record<DataSet, string>> = { sharegpt: "ShareGPT", alpaca: "Alpaca" };
const BLOCK_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const FITTED = "lengths are drawn from distributions fitted to the paper's";
const percent = (share: number) => 100 * share;

async function waste({ run, plan }: ViewSource): Promise<Made> {
  const entries = await run({ ...plan, policies: compared() });
  const tokenStates = [20.4, 26.8, 38.2, 96.3];
  return {
    figure: "2",
    title: "Use of K/V memory, mean over time",
    columns: columnsOf("%", ["token states", "reserved", "internal", "external", "free"]),
    rows: compared().map((policy, i) => {
      const { kv_share: share } = entries.find((entry) => entry.policy === policy)!;
      const parts = [share.token_states, share.reserved, share.internal, share.external, share.free];
      return {
        label: policy,
        here: parts.map(percent),
        paper: [tokenStates[i] ?? null, null, null, null, null],
      };
    }),
    paper_says: null,
    differences: [FITTED],
  };
}

async function batch({ run, plan }: ViewSource): Promise<Made> {
  const paper: Readonly<Record<DataSet, number[]>> = {
    sharegpt: [7.00, 9.81, 13.62, 30.42],
    alpaca: [7.00, 43.24, 72.75, 132.44],
  };
  const rows: View["rows"] = [];
  for (const dataSet of DATA_SETS) {
    const entries = await run({ ...plan, policies: compared(), lengths: { dataSet } });
    const here = compared().map((policy) => entries.find((entry) => entry.policy === policy)!.sequences_mean);
    rows.push({ label: DATA_SET_TITLES[dataSet], here, paper: paper[dataSet] });
  }
  return {
    figure: "13",
    title: "Sequences that run at once, mean over time",
    columns: columnsOf("sequences", compared()),
    rows,
    paper_says: null,
    differences: [
      "requests arrive all at once, in the paper at 2 (ShareGPT) and 30 (Alpaca) per second",
      FITTED,
    ],
  };
}

async function sharing({ run, plan, shape }: ViewSource): Promise<Made> {
  const widths = [2, 4, 6];
  const paper = {
    parallel: { alpaca: [6.09, 8.53, 9.79], sharegpt: [16.2, null, 30.5] },
    beam: { alpaca: [37.56, 53.13, 55.16], sharegpt: [44.3, null, 66.3] },
  };
  const order = ["alpaca", "sharegpt"] as const;
  const rows: View["rows"] = [];
  for (const [i, continuations] of widths.entries()) {
    const here: number[] = [];
    for (const dataSet of order) {
      const [entry] = await run({ ...plan, policies: [blocks()], lengths: { dataSet }, continuations });
      here.push(percent(entry!.sharing_saved));
    }
    rows.push({
      label: `${continuations} samples in parallel`,
      here,
      paper: order.map((set) => paper.parallel[set][i]!),
    });
  }
  for (const [i, beams] of widths.entries()) {
    const here = order.map((dataSet) => {
      const random = seededRandom(plan.seed);
      const requests = drawn(dataSet, Math.min(plan.nRequests, BEAM_REQUESTS), { plan, shape });
      return percent(
        beamSharing(requests, { beams, kvOptions: plan.kvOptions, random }),
      );
    });
    rows.push({ label: `${beams} beams`, here, paper: order.map((set) => paper.beam[set][i]!) });
  }
  return {
    figure: "15",
    title: "Memory that sharing saves: blocks saved ÷ blocks without sharing",
    columns: columnsOf("%", order.map((dataSet) => DATA_SET_TITLES[dataSet])),
    rows,
    paper_says: null,
    differences: [
      "a beam's successors are drawn evenly from all beams, in the paper a model's probabilities choose them",
      FITTED,
    ],
  };
}

/** Most requests of the beam simulation, since their shares vary little. */
const BEAM_REQUESTS = 300;

function* drawn(
  dataSet: DataSet,
  count: number,
  { plan, shape }: Pick<ViewSource, "plan" | "shape">,
): Generator<RequestLengths> {
  const random = seededRandom(plan.seed);
  for (let i = 0; i < count; i++) {
    yield drawLengths(LENGTH_MODELS[dataSet], shape, { scale: plan.lengthScale, random });
  }
}

async function prefix({ run, plan, shape }: ViewSource): Promise<Made> {
  const rows: View["rows"] = [];
  for (const [label, tokens, paper] of [["80 tokens", 80, 1.67], ["341 tokens", 341, 3.58]] as const) {
    const entries = await run({
      ...plan,
      policies: [best(), blocks()],
      lengths: { file: "sentences to translate", recorded: SENTENCES },
      prefixes: { tokens, groups: 1 },
    });
    const [reserved, shared] = entries.map((entry) => entry.output_tokens_per_second) as [number, number];
    rows.push({ label, here: [shared / reserved], paper: [paper] });
  }
  return {
    figure: "16",
    title: "Throughput where requests share their beginning",
    columns: columnsOf("×", [`${blocks()} ÷ ${best()}`]),
    rows,
    paper_says: null,
    differences: [
      "sentences of 15 to 55 tokens, in the paper those of WMT16",
      `${shape.name} in place of LLaMA-13B`,
    ],
  };
}

/** Typical lengths of sentences in English and German. */
const SENTENCES: readonly RequestLengths[] = Array.from({ length: 41 }, (_, i) => ({
  promptTokens: 15 + i,
  newTokens: 15 + i * 17 % 41,
}));

async function blockSize({ run, plan, measured }: ViewSource): Promise<Made> {
  const order = ["sharegpt", "alpaca"] as const;
  const rows: View["rows"] = [];
  for (const blockSize of BLOCK_SIZES) {
    const entries: ServingEntry[] = [];
    for (const dataSet of order) {
      entries.push(
        ...await run({ ...plan, policies: [blocks()], lengths: { dataSet }, ...withBlocks(plan, blockSize) }),
      );
    }
    const here = [
      ...entries.map((entry) => entry.output_tokens_per_second),
      ...entries.map((entry) => percent(entry.kv_in_use_token_states)),
    ];
    rows.push({ label: sayTokens(blockSize), here, paper: here.map(() => null) });
  }
  const titles = order.map((dataSet) => DATA_SET_TITLES[dataSet]);
  return {
    figure: "18",
    title: "Block size",
    columns: [
      ...columnsOf("tokens/s", titles),
      ...columnsOf("%", titles.map((title) => `${title}, token states in blocks`)),
    ],
    rows,
    paper_says: "16 to 128 tokens are best on ShareGPT; on Alpaca 16 and 32 are, and larger ones are slower",
    differences: [
      "throughput with all requests at once, in the paper latency at a rate",
      FITTED,
      ...measured ? [] : ["the modelled time of a step does not depend on the block size, only batches do"],
    ],
  };
}

async function preemption({ run, plan, shape, measured }: ViewSource): Promise<Made> {
  // Host memory is large enough for all that is swapped out.
  const tight = {
    ...plan,
    policies: [blocks()],
    budgetBytes: Math.max(plan.budgetBytes / 4, 1.1 * shape.nCtx * shape.kvTokenBytes),
    swapBytes: 4 * plan.budgetBytes,
  };
  const rows: View["rows"] = [];
  for (const blockSize of BLOCK_SIZES.filter((_, i) => i % 2 === 0)) {
    const entries: ServingEntry[] = [];
    for (const preemption of PREEMPTIONS) {
      entries.push(...await run({ ...tight, ...withBlocks(plan, blockSize), preemption }));
    }
    const here = [
      ...entries.map((entry) => entry.output_tokens_per_second),
      ...entries.map(({ preemptions }) => preemptions.recomputes + preemptions.swaps),
    ];
    rows.push({ label: sayTokens(blockSize), here, paper: here.map(() => null) });
  }
  return {
    figure: "19",
    title: "Preemption by recomputing and by swapping, by block size",
    columns: [
      ...columnsOf("tokens/s", PREEMPTIONS),
      ...columnsOf("times", PREEMPTIONS.map((how) => `${how}, preemptions`)),
    ],
    rows,
    paper_says:
      "swapping costs much with small blocks, recomputing the same with all sizes; from 16 to 64 tokens " +
      "the two are alike",
    differences: [
      "whole runs with a quarter of the K/V memory, so that it runs out; in the paper transfers alone",
      FITTED,
      ...measured ? [] : ["the modelled time of a transfer does not depend on the block size"],
    ],
  };
}

/** The option that the block size is. */
const BLOCK_OPTION = "block_size";

function withBlocks({ kvOptions }: ServingPlan, blockSize: number): Pick<ServingPlan, "kvOptions"> {
  return { kvOptions: { ...kvOptions, [BLOCK_OPTION]: blockSize } };
}

function columnsOf(unit: string, names: readonly string[]): View["columns"] {
  return names.map((name) => ({ name, unit }));
}

function sayTokens(count: number): string {
  return count === 1 ? "1 token" : `${count} tokens`;
}

function commonDifferences(name: ViewName, { shape, measured }: ViewSource): string[] {
  return [
    ...(name === "prefix" || shape.name === "opt-13b" ? [] : [`${shape.name} in place of OPT-13B`]),
    ...(measured ? [] : ["time is modelled, not measured"]),
  ];
}
