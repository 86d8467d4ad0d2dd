/** Chinese texts on results of many adapters. */

/** By their English templates. */
export const GALLERY: Readonly<Record<string, string>> = {
  "{0} results of one plan": "同一计划的 {0} 份结果",
  "What a cache buys and what paging costs, adapter by adapter: {0}, {1} prompt + {2} new tokens, batch {3}":
    "缓存换来什么，分页付出什么，逐个适配器：{0}，提示 {1} 个词元，生成 {2} 个，批量 {3}",
  "right on this GPU": "在此 GPU 上正确",
  "right": "正确",
  "wrong": "错误",
  "not recorded": "未记录",
  "off by {0}, tolerance {1}": "误差 {0}，容差 {1}",
  "the cache buys: speed of {0} over {1}": "缓存换来：{0} 比 {1} 的速度",
  "paging costs: time of {0} over {1}": "分页付出：{0} 比 {1} 的时间",
  "time per token with {0}": "{0} 的每词元时间",
  "memory that {0} adds to {1}": "{0} 比 {1} 多用的显存",
  "hardware": "硬件适配器",
  "software": "软件适配器",
  "commit {0}, {1}": "提交 {0}，{1}",
  "kvbench {0}, commit {1}, kernels {2}, Deno {3}, {4}": "kvbench {0}，提交 {1}，内核 {2}，Deno {3}，{4}",
  "{0}: the adapter computed wrong results, so that its times mean nothing.":
    "{0}：该适配器的计算有误，其时间没有意义。",
  "{0}: the result does not say whether the adapter computes right.":
    "{0}：结果没有说明该适配器的计算是否正确。",
  "{0}: the result is not complete.": "{0}：结果不完整。",
  "{0}: too few runs for intervals.": "{0}：次数太少，没有区间。",
  "{0}: the machine was not quiet, so that times vary by more than the adapter's doing.":
    "{0}：机器不安静，时间的波动不全来自适配器。",
  "{0} of {1} adapters compute on the CPU. Such times and factors are not those of a GPU.":
    "{1} 个适配器中有 {0} 个在 CPU 上计算，这些时间与倍数不是 GPU 的。",
  "The results are of {0} different sets of kernels: a difference between rows may be the program's, not the adapter's.":
    "这些结果出自 {0} 套不同的内核：各行之间的差别可能来自程序，而不是适配器。",
  "claims 1 to {0}": "说法 1 至 {0}",
  "Show adapters with": "只显示含有以下文字的适配器",
  "part of a name, software, hardware, Vulkan, a commit …":
    "名称的一部分、software、hardware、Vulkan、提交 …",
  "shown": "已显示",
  "No adapter has all of these words.": "没有适配器含有全部这些文字。",
  "Show all": "显示全部",
  "A dot is a median, its line the 95 % interval; all dots of a column stand on one axis. Where the line crosses the rule, nothing is shown. A click on a heading sorts, one on an adapter shows it alone, under a link to share.":
    "圆点是中位数，横线是 95 % 区间；同一列的圆点用同一坐标轴。横线跨过竖线时，说明不了差别。点击表头可排序，点击适配器只显示它，并得到可分享的链接。",
  "Do the textbook claims hold, adapter by adapter?": "教科书上的说法在各适配器上成立吗？",
  "Each result in full": "每份结果的全部内容",
  "Adapters": "适配器",
  "Sort by: {0}": "排序：{0}",
  "{0} over {1}": "{0} 比 {1}",
  "95 % from": "95 % 下限",
  "95 % to": "95 % 上限",
  "What a cache buys, and what paging costs": "缓存换来什么，分页付出什么",
  "A dot is the ratio of two medians on one adapter, its line the 95 % interval. Right of 1, the first one is faster.":
    "圆点是同一适配器上两个中位数之比，横线是 95 % 区间。在 1 右侧，前者更快。",
  "decode speed, ×, log scale": "解码速度，×，对数刻度",
};
