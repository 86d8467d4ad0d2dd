/** Chinese texts on ladders, and on the textbooks' claims. */

/** By their English templates. */
export const LADDER: Readonly<Record<string, string>> = {
  "From a notebook's loop to a serving engine": "从笔记本里的循环到推理引擎",
  "kvbench: {0} on {1}, {2} prompt + {3} new tokens": "kvbench：{0}，{1}，提示 {2} 个词元，生成 {3} 个",
  "no cache": "无缓存",
  "the whole text is computed for each token; ids are awaited on the host after every token; buffers and bind groups are made anew in each step":
    "每个词元都重新计算全文；每步之后在主机上等待词元编号；缓冲区与绑定组每步重建",
  "cache, concatenated": "缓存，逐步拼接",
  "K and V are kept in memory that grows by copying": "保留 K 和 V，显存随长度增长，每步复制",
  "cache, allocated once": "缓存，一次分配",
  "K and V have their memory from the beginning": "K 和 V 的显存一开始就分配好",
  "all reused, ids on GPU": "复用，编号留在 GPU",
  "buffers, kernels and bind groups are reused; many steps a submission; the next step finds its id on the GPU":
    "复用缓冲区、内核与绑定组；一次提交多步；下一步直接在 GPU 上取得编号",
  "weights in f16": "权重用 f16",
  "weight matrices are stored in half precision": "权重矩阵以半精度存储",
  "K/V in blocks (paging)": "K/V 分块（分页）",
  "K and V are found through a block table": "通过块表寻址 K 和 V",
  "batch of 8": "批量 8",
  "eight sequences are decoded together by continuous batching": "连续批处理，八个序列一起解码",
  "rung": "级",
  "what it changes": "改变了什么",
  "ms per token": "毫秒/词元",
  "factor (95 %)": "倍数（95 %）",
  "peak, MiB": "峰值，MiB",
  "published, ms per token": "公开结果，毫秒/词元",
  "published, MB": "公开结果，MB",
  "last over first": "末级比首级",
  "product of the factors": "各级倍数之积",
  "Paging itself (rung {0}) is worth {1} here; it is worth {2} × in sequences: {3} in place of {4} run at once in the same K/V memory of {5} tokens (simulated: {6} requests).":
    "分页本身（第 {0} 级）在这里只值 {1}；但就并发序列数而言值 {2} ×：在同样 {5} 个词元的 K/V 显存里，平均同时运行 {3} 个序列，而不是 {4} 个（模拟 {6} 个请求）。",
  "No rung is shown to be faster than the one before it: too few runs, or too much noise.":
    "没有哪一级被证明比上一级更快：次数太少，或噪声太大。",
  "What makes the difference: {0}.": "真正起作用的是：{0}。",
  "rung {0}, {1}: {2}": "第 {0} 级“{1}”，{2}",
  "The last rung is {0} faster than the first, measured in turns of their own; the rungs' factors multiply to {1}: {2}.":
    "末级与首级轮流实测，快 {0}；各级倍数相乘得 {1}：{2}。",
  "too few runs to tell whether they agree": "次数太少，无法判断是否一致",
  "they agree": "两者一致",
  "they do not agree": "两者不一致",
  "Every rung chose the same ids itself.": "每一级自己选出的词元都相同。",
  "Every rung computed the same tokens. From rung {0} on numbers are rounded, and where a rung's own id would have differed, it was fed rung {1}'s: {2}.":
    "每一级计算的词元都相同。从第 {0} 级起数值有舍入，凡自己选的词元会不同之处，改用第 {1} 级的：{2}。",
  "1 id in rung {0}": "第 {0} 级 1 个",
  "{0} ids in rung {1}": "第 {1} 级 {0} 个",
  "Rungs 1 to 3 stand for the eager loop of transformers, as near as WebGPU comes. Unlike there, a step is one submission, buffers are cleared when they are made, and reading an id back takes {0} when the GPU is done. Rungs 4 to 7 end at a fence, without a readback.":
    "第 1 至 3 级代表 transformers 的逐步（eager）循环，是 WebGPU 所能做到的最接近的形式。不同之处：每步只有一次提交；缓冲区新建时会清零；GPU 完成后，读回一个编号要 {0}。第 4 至 7 级以栅栏（fence）结束，不含回读。",
  "One published run on an {0}: {1} ms per token without a cache, with one, and in vLLM; peak memory {2} MB. What differs there:":
    "某次公开的结果（{0}）：无缓存、有缓存、vLLM 每词元分别为 {1} 毫秒；峰值显存 {2} MB。那里的不同之处：",
  "from the cache to vLLM, rungs 3 to 6 are one step, whose whole gain is called that of paging":
    "从有缓存到 vLLM，第 3 至 6 级合成了一步，全部收益都被算作分页的功劳",
  "the cached loop feeds only the prompt's last token": "有缓存的循环只输入提示的最后一个词元",
  "vLLM's memory is another process's, which max_memory_allocated does not see":
    "vLLM 的显存属于另一个进程，max_memory_allocated 看不到",
  "tokens are sampled at T = 0.7; here they are chosen greedily": "那里以 T = 0.7 采样，这里用贪心选择",
  "another GPU, another model, and PyTorch": "GPU、模型与框架（PyTorch）都不同",
  "Time ran out (--max-seconds {0}) before medians were precise enough, in {1} of the pairs.":
    "有 {1} 对在中位数足够精确之前时间已用完（--max-seconds {0}）。",
  "Tested on rungs that took turns: 1 and 2 for the cache, 5 and 6 for paging.":
    "依据轮流测量的各级：缓存看第 1、2 级，分页看第 5、6 级。",
  "Time per token, rung by rung": "每词元时间，逐级",
  "time per token": "每词元时间",
  "gained over the rung before": "比上一级节省",
  "lost against the rung before": "比上一级多用",
  "Each bar is a rung's time per token, with its 95 % interval; the pale part is what the rung gains over the one before it. Factors are from turns of the two rungs, with their 95 % intervals.":
    "每条是一级的每词元时间及其 95 % 区间；浅色部分是比上一级节省的时间。倍数来自两级轮流测量，括号内为 95 % 区间。",
  "The rungs": "各级",
  "Beside a published run": "与公开结果对照",
  "Do the textbook claims hold?": "教科书上的说法成立吗？",
  "claim": "说法",
  "verdict": "结论",
  "figures": "数据",
  "{0}: {1} ({2}).": "【{0}】{1}（{2}）。",
  "Without a cache, memory is least": "没有缓存时显存最少",
  "A cache takes clearly more memory": "缓存明显占用更多显存",
  "A cache makes latency clearly lower": "缓存明显降低延迟",
  "Paging takes still more memory, for its metadata": "分页因元数据占用更多显存",
  "Paging has the lowest latency": "分页的延迟最低",
  "A cache brings the time of n tokens from O(n²) down to O(n)":
    "缓存使生成 n 个词元的时间从 O(n²) 降到 O(n)",
  "holds": "成立",
  "does not hold": "不成立",
  "not shown by this run": "本次运行未能说明",
  "{0} and {1}": "{0}、{1}",
  "{0} to {1}": "{0} 至 {1}",
  "{0} did not run": "没有运行 {0}",
  "one new token has no decode phase": "只生成一个词元，没有解码阶段",
  "{0} with {1}": "{1} {0}",
  "{0} with {1}, {2} of it tables,": "{1} {0}（其中表 {2}）",
  "peak {0} against {1}": "峰值 {0}，对比 {1}",
  "{0} with {1}, a ratio of {2}": "{1} {0}，比值 {2}",
  "total {0} with {1} against {2}{3}": "总时间 {1} {0}，对比 {2}{3}",
  "a token takes {0} without a cache and {1} with {2}, from n = {3} to {4}":
    "n 从 {3} 到 {4}，每词元时间无缓存时为 {0}，{2} 为 {1}",
  ": the intervals are too wide to tell": "：区间太宽，无法判断",
  ": too few runs to tell": "：次数太少，无法判断",
  ": the contexts are too close; use more --new-tokens": "：上下文长度相差太小，请增大 --new-tokens",
  ": the contexts are too close: expected lengths from n to at least {0} n, as with --sweep prompt-tokens=16,64,256":
    "：上下文长度相差太小，应从 n 到至少 {0} n，例如 --sweep prompt-tokens=16,64,256",
  ": fixed costs may hide the growth; use longer contexts": "：固定开销可能掩盖了增长，请用更长的上下文",
};
