/**
 * The words of results of many adapters in English.
 *
 * @module
 */
import type { GalleryWords } from "./words.ts";

/** English. */
export const ENGLISH: GalleryWords = {
  title: (results) => `${results} results of one plan`,
  heading: ({ model, promptTokens, newTokens, batch }) =>
    `What a cache buys and what paging costs, adapter by adapter: ${model}, ${promptTokens} prompt + ${newTokens} new ` +
    `tokens${batch === 1 ? "" : `, batch ${batch}`}`,
  software: "software",
  hardware: "hardware",
  outcomes: { "right": "right", "wrong": "wrong", "not recorded": "not recorded" },
  closest: (error, tolerance) => `off by ${error}, tolerance ${tolerance}`,
  columns: {
    check: "right on this GPU",
    checkShort: "right",
    adapter: "adapter",
    program: "measured by",
    claims: "claims 1 to 6",
  },
  figures: ({ none, cache, sharing }) => ({
    cacheGain: `the cache buys: speed of ${cache} over ${none}`,
    pagingCost: `paging costs: time of ${sharing} over ${cache}`,
    tpotMs: `time per token with ${cache}`,
    cacheBytes: `memory that ${cache} adds to ${none}`,
  }),
  program: ({ version, commit, kernels, deno, date }) => ({
    short: `commit ${commit}, ${date}`,
    long: `kvbench ${version}, commit ${commit}, kernels ${kernels}, Deno ${deno}, ${date}`,
  }),
  noCommit: "unknown",
  kernelsDiffer: (sets) =>
    `The results are of ${sets} different sets of kernels: a difference between rows may be the program's, not the ` +
    "adapter's.",
  onCpu: (software, all) =>
    `${
      software === all ? "All adapters compute" : `${software} of ${all} adapters compute`
    } on the CPU. Such times and ` +
    "factors are not those of a GPU.",
  unchecked: (adapters) => `${adapters}: the result does not say whether the adapter computes right.`,
  wrong: (adapters) => `${adapters}: the adapter computed wrong results, so its times mean nothing.`,
  incomplete: (adapters) => `${adapters}: the result is not complete.`,
  noisy: (adapters) =>
    `${adapters}: the machine was not quiet, so that times vary by more than the adapter's doing.`,
  and: " and ",
  caution: (text) => `Caution: ${text}`,
  page: {
    filter: "Show adapters with",
    filterHint: "part of a name, software, hardware, Vulkan, a commit …",
    all: "Show all",
    shown: "shown",
    sort: "Sort by",
    none: "No adapter has all of these words.",
    reading:
      "A dot is a median, its line the 95 % interval; all dots of a column stand on one axis. Where the line crosses the " +
      "rule, nothing is shown. A click on a heading sorts, one on an adapter shows it alone, under a link to share.",
    tableTitle: "Adapters",
    claimsTitle: "Do the textbook claims hold, adapter by adapter?",
    details: "Each result in full",
  },
  chart: {
    title: "What a cache buys, and what paging costs",
    axis: "decode speed, ×, log scale",
    caption:
      "A dot is the ratio of two medians on one adapter, its line the 95 % interval. Right of 1, the first one is faster.",
    gain: (none, cache) => `${cache} over ${none}`,
    speed: (cache, sharing) => `${sharing} over ${cache}`,
    interval: ["95 % from", "95 % to"],
  },
};
