/**
 * The words of results of many adapters in Chinese.
 *
 * @module
 */
import type { GalleryWords } from "./words.ts";

/** Simplified Chinese. */
export const CHINESE: GalleryWords = {
  title: (results) => `同一计划的 ${results} 份结果`,
  heading: ({ model, promptTokens, newTokens, batch }) =>
    `缓存换来什么，分页付出什么，逐个适配器：${model}，提示 ${promptTokens} 个词元，生成 ${newTokens} 个` +
    `${batch === 1 ? "" : `，批量 ${batch}`}`,
  software: "软件适配器",
  hardware: "硬件适配器",
  outcomes: { "right": "正确", "wrong": "错误", "not recorded": "未记录" },
  closest: (error, tolerance) => `误差 ${error}，容差 ${tolerance}`,
  columns: {
    check: "在此 GPU 上正确",
    checkShort: "正确",
    adapter: "适配器",
    program: "测量程序",
    claims: "说法 1 至 6",
  },
  figures: ({ none, cache, sharing }) => ({
    cacheGain: `缓存换来：${cache} 比 ${none} 的速度`,
    pagingCost: `分页付出：${sharing} 比 ${cache} 的时间`,
    tpotMs: `${cache} 的每词元时间`,
    cacheBytes: `${cache} 比 ${none} 多用的显存`,
  }),
  program: ({ version, commit, kernels, deno, date }) => ({
    short: `提交 ${commit}，${date}`,
    long: `kvbench ${version}，提交 ${commit}，内核 ${kernels}，Deno ${deno}，${date}`,
  }),
  noCommit: "未知",
  kernelsDiffer: (sets) => `这些结果出自 ${sets} 套不同的内核：各行之间的差别可能来自程序，而不是适配器。`,
  onCpu: (software, all) =>
    `${
      software === all ? "所有适配器都" : `${all} 个适配器中有 ${software} 个`
    }在 CPU 上计算，这些时间与倍数不是 GPU 的。`,
  unchecked: (adapters) => `${adapters}：结果没有说明该适配器的计算是否正确。`,
  wrong: (adapters) => `${adapters}：该适配器的计算有误，其时间没有意义。`,
  incomplete: (adapters) => `${adapters}：结果不完整。`,
  noisy: (adapters) => `${adapters}：机器不安静，时间的波动不全来自适配器。`,
  and: "、",
  caution: (text) => `注意：${text}`,
  page: {
    filter: "只显示含有以下文字的适配器",
    filterHint: "名称的一部分、software、hardware、Vulkan、提交 …",
    all: "显示全部",
    shown: "已显示",
    sort: "排序",
    none: "没有适配器含有全部这些文字。",
    reading:
      "圆点是中位数，横线是 95 % 区间；同一列的圆点用同一坐标轴。横线跨过竖线时，说明不了差别。点击表头可排序，点击适配器只显示它，并得到可分享的链接。",
    tableTitle: "适配器",
    claimsTitle: "教科书上的说法在各适配器上成立吗？",
    details: "每份结果的全部内容",
  },
  chart: {
    title: "缓存换来什么，分页付出什么",
    axis: "解码速度，×，对数坐标",
    caption: "圆点是同一适配器上两个中位数之比，横线是 95 % 区间。在 1 右侧，前者更快。",
    gain: (none, cache) => `${cache} 比 ${none}`,
    speed: (cache, sharing) => `${sharing} 比 ${cache}`,
    interval: ["95 % 下限", "95 % 上限"],
  },
};
