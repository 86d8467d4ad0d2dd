/**
 * The ladder's words in English.
 *
 * @module
 */
import { CLAIMS } from "../../measure/findings/claims.ts";
import { ENGLISH_EVIDENCE } from "../evidence.ts";
import type { LadderWords } from "./words.ts";

/** English. */
export const ENGLISH: LadderWords = {
  title: "From a notebook's loop to a serving engine",
  heading: ({ model, adapter, promptTokens, newTokens }) =>
    `kvbench: ${model} on ${adapter}, ${promptTokens} prompt + ${newTokens} new tokens`,
  software: "software",
  hardware: "hardware",
  rungs: {
    recompute: {
      short: "no cache",
      changes:
        "the whole text is computed for each token; ids are awaited on the host after every token; buffers and " +
        "bind groups are made anew in each step",
    },
    concatenate: {
      short: "cache, concatenated",
      changes: "K and V are kept in memory that grows by copying",
    },
    reserve: { short: "cache, allocated once", changes: "K and V have their memory from the beginning" },
    reuse: {
      short: "all reused, ids on GPU",
      changes:
        "buffers, kernels and bind groups are reused; many steps a submission; the next step finds its id on " +
        "the GPU",
    },
    half: { short: "weights in f16", changes: "weight matrices are stored in half precision" },
    blocks: { short: "K/V in blocks (paging)", changes: "K and V are found through a block table" },
    batch: { short: "batch of 8", changes: "eight sequences are decoded together by continuous batching" },
  },
  columns: {
    rung: "rung",
    changes: "what it changes",
    msPerToken: "ms per token",
    factor: "factor (95 %)",
    peak: "peak",
    published: "published, ms per token",
    publishedPeak: "published, MB",
    runs: "runs",
  },
  interval: ["95 % from", "95 % to"],
  whole: "last over first",
  product: "product of the factors",
  paging: ({ rung, factor, sequences, regions, blocks, tokens, requests }) =>
    `Paging itself (rung ${rung}) is worth ${factor} here; it is worth ${sequences} × in sequences: ${blocks} in place ` +
    `of ${regions} run at once in the same K/V memory of ${tokens} tokens (simulated: ${requests} requests).`,
  largest: (factors) =>
    factors.length === 0
      ? "No rung is shown to be faster than the one before it: too few runs, or too much noise."
      : `What makes the difference: ${
        factors.map(({ rung, name, factor }) => `rung ${rung}, ${name}: ${factor}`).join("; ")
      }.`,
  multiplies: ({ whole, product, agrees }) =>
    `The last rung is ${whole} faster than the first, measured in turns of their own; the rungs' factors multiply ` +
    `to ${product}: ${
      agrees === null
        ? "too few runs to tell whether they agree"
        : agrees
        ? "they agree"
        : "they do not agree"
    }.`,
  fed: ({ from, rungs }) =>
    rungs.length === 0
      ? "Every rung chose the same ids itself."
      : `Every rung computed the same tokens. From rung ${from} on numbers are rounded, and where a rung's own id would ` +
        `have differed, it was fed rung ${from - 1}'s: ${
          rungs.map(({ rung, ids }) => `${ids} ${ids === 1 ? "id" : "ids"} in rung ${rung}`).join(", ")
        }.`,
  eager: (readback) =>
    "Rungs 1 to 3 stand for the eager loop of transformers, as near as WebGPU comes. Unlike there, a step is one " +
    `submission, buffers are cleared when they are made, and awaiting an id takes ${readback} in this runtime ` +
    "whatever the GPU does. Rungs 4 to 7 end at a fence, without a readback.",
  published: ({ ms, peaks, gpu }) =>
    `One published run on an ${gpu}: ${ms} ms per token without a cache, with one, and in vLLM; peak memory ${peaks} ` +
    "MB. What differs there:",
  differences: [
    "from the cache to vLLM, rungs 3 to 6 are one step, whose whole gain is called that of paging",
    "the cached loop feeds only the prompt's last token",
    "vLLM's memory is another process's, which max_memory_allocated does not see",
    "tokens are sampled at T = 0.7; here they are chosen greedily",
    "another GPU, another model, and PyTorch",
  ],
  caution: (text) => `Caution: ${text}`,
  busy: (load, cpus) => `The machine was busy when measuring began: ${load} processes on ${cpus} CPUs.`,
  unquiet: (percent) =>
    `The machine was not quiet: the interquartile range of the yardstick, a fixed piece of GPU work, is ${percent} of ` +
    "its median.",
  rushed: (pairs, seconds) =>
    `Time ran out (--max-seconds ${seconds}) before medians were precise enough, in ${pairs} of the pairs.`,
  onCpu: (adapter) => `${adapter} computes on the CPU. These times and factors are not those of a GPU.`,
  claims: CLAIMS,
  verdicts: {
    "holds": "holds",
    "does not hold": "does not hold",
    "not shown by this run": "not shown by this run",
  },
  claim: ({ claim, verdict, figures }) => `${verdict.toUpperCase()}: ${claim} (${figures}).`,
  claimsTitle: "Do the textbook claims hold?",
  claimsColumns: ["claim", "verdict", "figures"],
  claimsNote: "Tested on rungs that took turns: 1 and 2 for the cache, 5 and 6 for paging.",
  evidence: ENGLISH_EVIDENCE,
  chart: {
    title: "Time per token, rung by rung",
    axis: "ms per token",
    time: "time per token",
    gained: "gained over the rung before",
    lost: "lost against the rung before",
    caption:
      "Each bar is a rung's time per token, with its 95 % interval; the pale part is what the rung gains over the " +
      "one before it. Factors are from turns of the two rungs, with their 95 % intervals.",
  },
  page: {
    figures: "The rungs",
    differences: "Beside a published run",
  },
};
