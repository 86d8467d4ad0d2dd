/**
 * Chinese texts of charts of benchmarks, profiles and quality.
 *
 * @module
 */

/** By their English templates. */
export const FIGURES: Readonly<Record<string, string>> = {
  "{0}, log scale": "{0}，对数刻度",
  "Sequences that run at once": "同时运行的序列",
  "{0} requests with lengths like those of {1}, all at once, in the same K/V memory for {2} tokens; mean over time. Scheduler and allocators are the real ones, time is modelled.":
    "{0} 个长度同 {1} 的请求同时到达，使用同样的 {2} 个词元的 K/V 显存；随时间的平均值。调度器与分配器是真实的，时间为建模值。",
  "sequences": "序列",
  "strategy": "策略",
  "sequences, mean over time": "序列，随时间平均",
  "Memory created per token": "每个词元新建的显存",
  "Bytes of the buffers and textures that each token's step creates on the GPU, whether they are freed again or not. The table has their number, and the splits of attention.":
    "每个词元的一步在 GPU 上新建的缓冲区与纹理的字节数，不论之后是否释放。表格给出其数目以及注意力的分段数。",
  "context (tokens)": "上下文（词元）",
  "{0} (bytes)": "{0}（字节）",
  "{0} (buffers)": "{0}（缓冲区）",
  "{0} (splits)": "{0}（分段）",
  "95 % from (ms)": "95 % 下限（ms）",
  "95 % to (ms)": "95 % 上限（ms）",
  "Time per output token by prompt length": "不同提示长度的每词元时间",
  "Medians with their 95 % intervals. On logarithmic axes, a line's slope is the exponent with which a token's time grows.":
    "中位数及其 95 % 区间。在对数坐标上，线的斜率即每词元时间增长的指数。",
  "prompt (tokens)": "提示（词元）",
  "TPOT (ms)": "TPOT（ms）",
  "Decode throughput by batch size": "不同批量的解码吞吐量",
  "Tokens per second over all sequences of a batch. With a cache, a step reads the weights once for the whole batch.":
    "一批所有序列合计的每秒词元数。有缓存时，一步只为整批读取一次权重。",
  "Block size: memory unused, and time per token": "块大小：未用显存与每词元时间",
  "Left axis: the share of reserved K/V memory that is unused, mean over the request. Right axis: time per output token, with 95 % intervals.":
    "左轴：预留 K/V 显存的未用比例，请求期间的平均值。右轴：每词元时间及 95 % 区间。",
  "tokens per block": "每块词元数",
  "reserved K/V unused (%)": "预留 K/V 未用（%）",
  "unused (left)": "未用（左）",
  "TPOT (right)": "TPOT（右）",
  "unused (%)": "未用（%）",
  "activations": "激活值",
  "tables": "表",
  "staging": "中转",
  "Peak GPU memory": "GPU 显存峰值",
  "Peak GPU memory without weights": "GPU 显存峰值（不含权重）",
  "Peak bytes of GPU buffers by category, as the ledger counts them.":
    "账本按类别统计的 GPU 缓冲区峰值字节数。",
  "total (bytes)": "合计（字节）",
  "{0} of {1}": "{0} / {1}",
  "K/V memory, mean over the request": "K/V 显存，请求期间的平均值",
  "Memory reserved for this request, by use: for tokens that are stored, for later tokens, and lost to internal or external fragmentation. The rest of the pool is free for other requests.":
    "为该请求预留的显存，按用途：已存储的词元、之后的词元、因内部或外部碎片损失的部分。池中其余部分可供其他请求使用。",
  "{0} used": "已用 {0}",
  "reserved (bytes)": "预留（字节）",
  "GPU memory over the request, without weights": "请求期间的 GPU 显存（不含权重）",
  "Bytes of GPU buffers after each new token, without the weights, which are the same for all.":
    "每个新词元之后 GPU 缓冲区的字节数，不含各策略都相同的权重。",
  "new tokens": "新词元",
  "{0} (bytes, weights included)": "{0}（字节，含权重）",
  "Less is better on both axes, so that the best dots are on the lower left; the line joins those that no other one beats. Dots on the lower edge differ from full float32 by less than {0} nats. Where a dot has no room for its name, the table has it.":
    "两轴都是越小越好，最好的点在左下；线连接没有被其他点胜过的点。下缘的点与完整 float32 之差小于 {0} nat。放不下名称的点见表格。",
  "Quality against K/V memory, at a context of {0} tokens": "质量与 K/V 显存，上下文 {0} 个词元",
  "Mean KL divergence per token from full float32, and the K/V bytes of a sequence over its tokens. {0}":
    "相对完整 float32 的每词元平均 KL 散度，以及序列的 K/V 字节数除以词元数。{0}",
  "K/V bytes per token of context": "上下文每词元的 K/V 字节数",
  "Quality against time per token, at a context of {0} tokens": "质量与每词元时间，上下文 {0} 个词元",
  "Mean KL divergence per token from full float32, and the median time per output token. {0}":
    "相对完整 float32 的每词元平均 KL 散度，以及每词元时间的中位数。{0}",
  "mean KL divergence (nats), log scale": "平均 KL 散度（nat），对数刻度",
  "nats": "nat",
  "frontier": "前沿",
  "options": "选项",
  "K/V type": "K/V 类型",
  "K/V (B/token)": "K/V（字节/词元）",
  "mean KLD (nats)": "平均 KLD（nat）",
  "standard error": "标准误差",
  "99th percentile": "第 99 百分位",
  "same top token (%)": "首选词元相同（%）",
  "perplexity ratio": "困惑度比值",
  "on the frontier": "在前沿上",
  "yes": "是",
  "no": "否",
  "Roofline": "屋顶线（roofline）",
  "Each kernel of a prefill and of {0}. The line is this adapter's best in the same run: memory bandwidth on the slope, arithmetic on the plateau. A kernel whose data stays in a cache can lie above it.":
    "预填充与解码一步（{0}）的各个内核。线是该适配器在同一次运行中的最佳值：斜线为显存带宽，平顶为算力。数据留在缓存里的内核可能位于线上方。",
  "multiply-adds per byte, log scale": "每字节乘加次数，对数刻度",
  "per byte": "每字节",
  "G multiply-adds/s, log scale": "10⁹ 次乘加/秒，对数刻度",
  "roof": "上限",
  "prefill": "预填充",
  "decode step": "解码一步",
  "step": "步",
  "kernel": "内核",
  "calls": "调用次数",
  "bytes": "字节",
  "multiply-adds": "乘加",
  " once": "（一次）",
  "Latency per token by context length": "不同上下文长度的每词元延迟",
  "The gap before each new token: median over runs with a fence behind each token. Without a cache, every token recomputes the whole context.":
    "每个新词元之前的间隔：每个词元后设栅栏的多次运行的中位数。没有缓存时，每个词元都重新计算整个上下文。",
  "Time to first token (TTFT)": "首词元时间（TTFT）",
  "Time per output token (TPOT)": "每词元时间（TPOT）",
  "Whole request (E2E)": "整个请求（E2E）",
  "Medians of {0} runs. Whiskers are 95 % bootstrap intervals of the median.":
    "{0} 次运行的中位数；须线为中位数的 95 % 自助法区间。",
  "median (ms)": "中位数（ms）",
  "runs": "次数",
  "gap between tokens (ms)": "词元间隔（ms）",
  "Distribution of inter-token latency": "词元间延迟的分布",
  "Share of all gaps between tokens that are at most so many ms. A curve further left is faster, a steeper one is steadier.":
    "不超过该毫秒数的词元间隔所占比例。曲线越靠左越快，越陡越稳定。",
  "% of gaps": "间隔（%）",
  "p90 (ms)": "p90（ms）",
  "p95 (ms)": "p95（ms）",
  "p99 (ms)": "p99（ms）",
  "longest (ms)": "最长（ms）",
  "gaps": "间隔数",
  "used": "已用",
  "for later": "留待后用",
  "internal": "内部碎片",
  "external": "外部碎片",
  "free for others": "可供其他请求",
};
