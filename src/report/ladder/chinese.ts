/**
 * The ladder's words in Chinese.
 *
 * @module
 */
import type { LadderWords } from "./words.ts";

/** Simplified Chinese. */
export const CHINESE: LadderWords = {
  title: "从笔记本里的循环到推理引擎",
  heading: ({ model, adapter, promptTokens, newTokens }) =>
    `kvbench：${model}，${adapter}，提示 ${promptTokens} 个词元，生成 ${newTokens} 个`,
  software: "软件适配器",
  hardware: "硬件适配器",
  rungs: {
    recompute: {
      short: "无缓存",
      changes: "每个词元都重新计算全文；每步之后在主机上等待词元编号；缓冲区与绑定组每步重建",
    },
    concatenate: { short: "缓存，逐步拼接", changes: "保留 K 和 V，显存随长度增长，每步复制" },
    reserve: { short: "缓存，一次分配", changes: "K 和 V 的显存一开始就分配好" },
    reuse: {
      short: "复用，编号留在 GPU",
      changes: "复用缓冲区、内核与绑定组；一次提交多步；下一步直接在 GPU 上取得编号",
    },
    half: { short: "权重用 f16", changes: "权重矩阵以半精度存储" },
    blocks: { short: "K/V 分块（分页）", changes: "通过块表寻址 K 和 V" },
    batch: { short: "批量 8", changes: "连续批处理，八个序列一起解码" },
  },
  columns: {
    rung: "级",
    changes: "改变了什么",
    msPerToken: "毫秒/词元",
    factor: "倍数（95 %）",
    peak: "峰值显存",
    published: "公开结果，毫秒/词元",
    publishedPeak: "公开结果，MB",
    runs: "次数",
  },
  interval: ["95 % 下限", "95 % 上限"],
  whole: "末级比首级",
  product: "各级倍数之积",
  paging: ({ rung, factor, sequences, regions, blocks, tokens, requests }) =>
    `分页本身（第 ${rung} 级）在这里只值 ${factor}；但就并发序列数而言值 ${sequences} ×：在同样 ${tokens} 个词元的 K/V 显存里，` +
    `平均同时运行 ${blocks} 个序列，而不是 ${regions} 个（模拟 ${requests} 个请求）。`,
  largest: (factors) =>
    factors.length === 0
      ? "没有哪一级被证明比上一级更快：次数太少，或噪声太大。"
      : `真正起作用的是：${
        factors.map(({ rung, name, factor }) => `第 ${rung} 级“${name}”，${factor}`).join("；")
      }。`,
  multiplies: ({ whole, product, agrees }) =>
    `末级与首级轮流实测，快 ${whole}；各级倍数相乘得 ${product}：${
      agrees === null ? "次数太少，无法判断是否一致" : agrees ? "两者一致" : "两者不一致"
    }。`,
  fed: ({ from, rungs }) =>
    rungs.length === 0
      ? "每一级自己选出的词元都相同。"
      : `每一级计算的词元都相同。从第 ${from} 级起数值有舍入，凡自己选的词元会不同之处，改用第 ${
        from - 1
      } 级的：${rungs.map(({ rung, ids }) => `第 ${rung} 级 ${ids} 个`).join("，")}。`,
  eager: (readback) =>
    "第 1 至 3 级代表 transformers 的逐步（eager）循环，是 WebGPU 所能做到的最接近的形式。不同之处：每步只有一次提交；缓冲区新建时会清零；" +
    `无论 GPU 做什么，在本运行时里等待一个编号要 ${readback}。第 4 至 7 级以栅栏（fence）结束，不含回读。`,
  published: ({ ms, peaks, gpu }) =>
    `某次公开的结果（${gpu}）：无缓存、有缓存、vLLM 每词元分别为 ${ms} 毫秒；峰值显存 ${peaks} MB。那里的不同之处：`,
  differences: [
    "从有缓存到 vLLM，第 3 至 6 级合成了一步，全部收益都被算作分页的功劳",
    "有缓存的循环只输入提示的最后一个词元",
    "vLLM 的显存属于另一个进程，max_memory_allocated 看不到",
    "那里以 T = 0.7 采样，这里用贪心选择",
    "GPU、模型与框架（PyTorch）都不同",
  ],
  caution: (text) => `注意：${text}`,
  busy: (load, cpus) => `开始测量时机器繁忙：${cpus} 个 CPU 上有 ${load} 个进程。`,
  unquiet: (percent) => `机器不安静：标尺（一段固定的 GPU 工作）的四分位距为其中位数的 ${percent}。`,
  rushed: (pairs, seconds) => `有 ${pairs} 对在中位数足够精确之前时间已用完（--max-seconds ${seconds}）。`,
  onCpu: (adapter) => `${adapter} 在 CPU 上计算，这些时间与倍数不是 GPU 的。`,
  claims: {
    leastMemory: "没有缓存时显存最少",
    cacheMemory: "缓存明显占用更多显存",
    cacheLatency: "缓存明显降低延迟",
    pagedMemory: "分页因元数据占用更多显存",
    pagedLatency: "分页的延迟最低",
    complexity: "缓存使生成 n 个词元的时间从 O(n²) 降到 O(n)",
  },
  verdicts: {
    "holds": "成立",
    "does not hold": "不成立",
    "not shown by this run": "本次运行未能说明",
  },
  claim: ({ claim, verdict, figures }) => `【${verdict}】${claim}（${figures}）。`,
  claimsTitle: "教科书上的说法成立吗？",
  claimsColumns: ["说法", "结论", "数据"],
  claimsNote: "依据轮流测量的各级：缓存看第 1、2 级，分页看第 5、6 级。",
  evidence: {
    and: "、",
    to: " 至 ",
    absent: (strategies) => `没有运行 ${strategies}`,
    oneToken: "只生成一个词元，没有解码阶段",
    peak: (strategy, bytes, tables) => `${strategy} ${bytes}${tables ? `（其中表 ${tables}）` : ""}`,
    peaks: (first, others) => `峰值 ${first}，对比 ${others}`,
    time: (strategy, ms, ratio) => `${strategy} ${ms}，比值 ${ratio}`,
    times: (strategy, ms, others) => `总时间 ${strategy} ${ms}，对比 ${others}`,
    growth: ({ without, strategy, cached, from, to }) =>
      `n 从 ${from} 到 ${to}，每词元时间无缓存时为 ${without}，${strategy} 为 ${cached}`,
    untold: {
      wide: "：区间太宽，无法判断",
      few: "：次数太少，无法判断",
      close: "：上下文长度相差太小，请增大 --new-tokens",
      hidden: "：固定开销可能掩盖了增长，请用更长的上下文",
    },
  },
  chart: {
    title: "每词元时间，逐级",
    axis: "毫秒/词元",
    time: "每词元时间",
    gained: "比上一级节省",
    lost: "比上一级多用",
    caption:
      "每条是一级的每词元时间及其 95 % 区间；浅色部分是比上一级节省的时间。倍数来自两级轮流测量，括号内为 95 % 区间。",
  },
  page: {
    figures: "各级",
    differences: "与公开结果对照",
  },
};
