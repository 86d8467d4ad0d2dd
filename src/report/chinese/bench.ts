/** Chinese texts on a benchmark: its answer, sentences, cautions and claims. */

/** By their English templates. */
export const BENCH: Readonly<Record<string, string>> = {
  "Tested on {0}.": "依据：{0}。",
  "{0} The purpose of paging does not show in a run of equal requests that begin and end together: blocks leave memory for other requests, so that more of them run at once. serve-sim shows it.":
    "{0}请求相同且同始同终时，看不出分页的用途：分块把显存留给其他请求，使更多请求能同时运行。serve-sim 会显示这一点。",
  "No step in latency by position stands out from the runs' noise: {0}.":
    "按位置的延迟中没有超出噪声的台阶：{0}。",
  "Steps in latency by position can't be told from noise with fewer than {0} runs or a dozen tokens.":
    "少于 {0} 次运行或十二个词元时，无法把按位置延迟中的台阶与噪声区分开。",
  "No token after the first creates memory on the GPU.": "首个词元之后，没有词元在 GPU 上新建显存。",
  "Created on the GPU per token after the first: {0}.": "首个词元之后，每个词元在 GPU 上新建：{0}。",
  "; {0} smaller ones": "；另有 {0} 处较小",
  "Steps in latency by position of {0}: {1}{2}.": "{0} 按位置的延迟中的台阶：{1}{2}。",
  "{0} ({1})": "{0}（{1}）",
  "{0} for the token at context {1}, {2}": "上下文 {1} 处的词元 {0}，{2}",
  "{0} per token from context {1} on, {2}": "自上下文 {1} 起每词元 {0}，{2}",
  "where nothing was created, added or split": "该处没有新建、增加或拆分",
  "where {0}": "该处{0}",
  "{0} buffers of {1} were created": "新建了 {0} 个缓冲区，共 {1}",
  "room for K/V of {0} was added": "增加了 {0} 的 K/V 空间",
  "attention went from {0} to {1} splits": "注意力由 {0} 段变为 {1} 段",
  "nothing": "无",
  "{0} buffers of {1}": "{0} 个缓冲区，共 {1}",
  "{0} at each": "每个词元 {0}",
  "{0} at {1} of {2}": "{2} 个词元中有 {1} 个：{0}",
  "The adapter was reached through OpenGL, not Vulkan. Its speed can differ from Vulkan's.":
    "适配器经由 OpenGL 而非 Vulkan，速度可能与 Vulkan 不同。",
  "{0} computes on the CPU. These latencies and their ratios are not those of a GPU.":
    "{0} 在 CPU 上计算，这些延迟及其比值不是 GPU 的。",
  "The machine was busy when measuring began: {0} processes on {1} CPUs.":
    "开始测量时机器繁忙：{1} 个 CPU 上有 {0} 个进程。",
  "The machine was not quiet: the interquartile range of the yardstick, a fixed piece of GPU work, is {0} % of its median.":
    "机器不安静：标尺（一段固定的 GPU 工作）的四分位距为其中位数的 {0} %。",
  "{0} and {1} more": "{0} 及另外 {1} 项",
  "The later half of the runs differs from the earlier half: {0}.": "后一半运行与前一半不同：{0}。",
  "More than a tenth of the runs are severe outliers, which are kept: {0}.":
    "超过十分之一的运行是严重离群值（已保留）：{0}。",
  "Time ran out (--max-seconds {0}) before the total (E2E) was precise to ±{1} %: {2}.":
    "总时间（E2E）精确到 ±{1} % 之前时间已用完（--max-seconds {0}）：{2}。",
  "This result is incomplete: measuring was interrupted.": "此结果不完整：测量被中断。",
  "One new token has no decode phase: there is no TPOT, and nothing for a cache to save.":
    "只生成一个词元时没有解码阶段：没有 TPOT，缓存也无可节省。",
  "exact ": "精确",
  "The same {0} tokens from every {1}strategy: {2}": "每种{1}策略都生成同样的 {0} 个词元：{2}",
  "The quality of what is not exact was not measured: {0}.": "未测量非精确项的质量：{0}。",
  "Of {0} requests like {1}'s, {2} run at once with {3} and {4} with {5} in the same K/V memory: {6} × (simulated; serve-sim measures it).":
    "{0} 个长度同 {1} 的请求中，在同样的 K/V 显存里，{3} 平均同时运行 {2} 个，{5} 为 {4} 个：{6} ×（模拟值；serve-sim 可实测）。",
  "{0} weights and {1} K/V against float32, on the first prompt: the largest logit belongs to the same token before {2} of {3} new tokens ({4})":
    "权重 {0}、K/V {1} 与 float32 相比（第一个提示）：{3} 个新词元中有 {2} 个（{4}）之前最大 logit 属于同一词元",
  "no logit differs by more than {0}": "logit 相差不超过 {0}",
  "{0} {1} in place of {2}": "{0} {1}，而非 {2}",
  "weights take": "权重占",
  "a token's K/V takes": "每个词元的 K/V 占",
  "{0} against {1}": "{0}，对比 {1}",
  "{0} against full float32, on {1} tokens of a text: KL divergence {2} nats per token, the same likeliest token in {3}, perplexity × {4}.":
    "{0} 与完整 float32 相比（一段文本的 {1} 个词元）：每词元 KL 散度 {2} nat，最可能词元相同者占 {3}，困惑度 × {4}。",
  "faster": "更快",
  "slower": "更慢",
  "{0} decodes {1} × {2}{3} per token than {4}": "{0} 的每词元解码比 {4} {3}：{1} × {2}",
  "{0} and {1} show no difference in decode speed beyond the spread of their runs ({2} per token).":
    "{0} 与 {1} 的解码速度之差不超出各次运行的离散程度（每词元 {2}）。",
  "{0} ({1}).": "{0}（{1}）。",
  "{0} ({1}, from {2}).": "{0}（{1}，{2}）。",
  "one run": "只有一次运行",
  "{0} runs": "{0} 次运行",
  "{0}, so that the spread is unknown": "{0}，离散程度未知",
  "{0} reserves {1} of K/V for {2} tokens, ": "{0} 为 {2} 个词元预留 {1} 的 K/V，",
  "all of it used": "全部用上",
  "{0} of it unused": "其中 {0} 未用",
  ", and leaves {0} of its pool to other requests": "，并把池中 {0} 留给其他请求",
  "; {0} needs {1} for one layer's scratch": "；{0} 只需 {1} 作一层的暂存",
  "{0}{1}.": "{0}{1}。",
  "Longer prompts": "更长的提示",
  "from {0} to {1} per token (× {2})": "每词元由 {0} 变为 {1}（× {2}）",
  "Larger batches": "更大的批量",
  "from {0} to {1} tokens/s (× {2})": "由 {0} 变为 {1} 词元/秒（× {2}）",
  "Larger blocks": "更大的块",
  "from {0} to {1} of reserved K/V unused": "预留 K/V 的未用比例由 {0} 变为 {1}",
  "{0} goes {1}": "{0} {1}",
  "{0} ({1}): {2}.": "{0}（{1}）：{2}。",
  "prompt {0}": "提示 {0}",
  "{0} new": "生成 {0}",
  "batch {0}": "批量 {0}",
  "cold or warm start unknown": "冷启动或热启动未知",
  "warm start": "热启动",
  "cold start": "冷启动",
  "the driver's cache of compiled kernels was empty": "驱动的内核编译缓存为空",
  "the driver's cache lacked some kernels": "驱动的缓存缺少部分内核",
  "the driver had all kernels compiled": "驱动已编译过全部内核",
  "the driver's cache can't be seen": "看不到驱动的缓存",
  "kernel variants were remembered": "内核变体沿用先前的选择",
  "no kernel variants were remembered": "没有先前选定的内核变体",
  "trying kernel variants {0}": "试用内核变体 {0}",
  "finding the model {0}": "查找模型 {0}",
  "weights {0}": "权重 {0}",
  "first kernels {0}": "首批内核 {0}",
  "Start: {0}, as {1}; {2}. Measuring began after {3} ({4}).": "启动：{0}，{1}；{2}。{3} 后开始测量（{4}）。",
  "the decode speed of {0}, with {1} ({2} per token against {3})":
    "{1} 的解码速度，相对 {0}（每词元 {2}，对比 {3}）",
  "peak GPU memory with {0} ({1} against {2})": "{0} 的峰值显存之差（{1}，对比 {2}）",
  "the sequences of {0} at once in the same K/V memory, with {1} ({2} against {3}, simulated)":
    "同样 K/V 显存里 {1} 同时运行的序列数，相对 {0}（{2}，对比 {3}，模拟值）",
  "model": "模型",
  "test": "测试",
  "TTFT ms": "TTFT（ms）",
  "TPOT ms": "TPOT（ms）",
  "total ms": "总时间（ms）",
  "prefill t/s": "预填充（词元/秒）",
  "decode t/s": "解码（词元/秒）",
  "K/V reserved": "预留 K/V",
  "same top": "首选相同",
  "batch": "批量",
  "kv dtype": "K/V 类型",
  "perplexity × {0} with {1} against {2} with {3}, at the same bytes":
    "字节数相同，{1} 困惑度 × {0}，{3} 为 × {2}",
  "KL divergence {0} nats with K/V {1} against {2} with {3}, {4}":
    "{4}：K/V {1} 的 KL 散度 {0} nat，{3} 为 {2}",
  "with {0}, {1} of the tokens: perplexity × {2}, and {3} counts as kept; {4}":
    "{0}，保留 {1} 的词元：困惑度 × {2}（不超过 {3} 视为保持）；{4}",
  "no windows of the same bytes with and without sinks were scored":
    "没有对字节数相同、有无汇聚词元（sink）的窗口打分",
  "no pair of types for K and V and the same exchanged was scored": "没有对互换 K 与 V 类型的一对打分",
  "no types of the same bytes with and without a rotation were scored":
    "没有对字节数相同、有无旋转的类型打分",
  "none that keeps at most a fifth of the tokens was scored": "没有对至多保留五分之一词元者打分",
  "KL divergence {0} nats, the same likeliest token in {1}": "KL 散度 {0} nat，最可能词元相同者占 {1}",
};
