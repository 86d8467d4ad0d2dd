/** Chinese names of the strategies' options: of columns, and before values. */

/** By their English names. */
export const OPTIONS: Readonly<Record<string, string>> = {
  "growth": "增长方式",
  "kv capacity tokens": "K/V 容量（词元）",
  "capacity": "容量",
  "allocator": "分配器",
  "block size": "块大小",
  "block": "块",
  "sinks": "汇聚词元",
  "window": "窗口",
  "window chunk": "窗口分段",
  "window-chunk": "窗口分段",
  "budget": "预算",
  "observe": "观察",
  "pool kernel": "池化核",
  "pool": "池化",
  "heavy": "关键词元",
  "recent": "最近",
  "resident layers": "常驻层",
  "resident": "常驻",
};
