/**
 * Kernels that compute something else than they should: WGSL that is changed on its way into the compiler, as a driver
 * would that compiles it wrongly.
 */
import assert from "node:assert/strict";

/** What makes each kernel wrong: one place in its file. */
export const BREAKS: Readonly<Record<string, readonly [string, string]>> = {
  "embedding.wgsl": ["value + wpe[", "value - wpe["],
  "layer_norm.wgsl": [" - mean) * scale *", " - mean) * 1.001 * scale *"],
  "linear_row_wide.wgsl": ["x[1]", "x[0]"],
  "linear_rows_wide.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_tall.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_row_split.wgsl": ["store(row, n4, sum)", "store(row, n4, 1.001 * sum)"],
  "linear_rows_split.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "linear_rows_block.wgsl": ["k4 < K4;", "k4 + 1u < K4;"],
  "kv_write.wgsl": ["* 3u + 1u + part)", "* 3u + 2u - part)"],
  "attention_combine.wgsl": [", o / l);", ", o / (l + 0.001));"],
  "attention_prefill.wgsl": ["key_scale = SCALE * kv", "key_scale = SCALE * 1.01 * kv"],
  "attention_prefill_shared.wgsl": ["SCALE * x_load(at)", "SCALE * 1.01 * x_load(at)"],
  "attention_decode_along.wgsl": ["SCALE * x_load(q)", "SCALE * 1.01 * x_load(q)"],
  "attention_decode.wgsl": ["SCALE * sum *", "SCALE * 1.01 * sum *"],
  "kv_copy.wgsl": ["i < line * copy.n_slots", "i + 1u < copy.n_slots"],
  "argmax.wgsl": ["best_ids[i] < id)", "best_ids[i] > id)"],
  "argmax_parts.wgsl": ["min(first + stretch,", "min(first + 1u,"],
  "kept_choice.wgsl": ["other > own ||", "other < own ||"],
  "kept_step.wgsl": ["].raw = s[i];", "].raw = 1.01 * s[i];"],
  "sample.wgsl": ["* 1664525u", "* 1664527u"],
};

/** Changes a kernel's file while `body` runs. Its file is the last of those that are joined. */
export async function withBroken<T>(
  file: string,
  body: () => Promise<T>,
  [from, to]: readonly [string, string] = BREAKS[file]!,
): Promise<T> {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function ({ label, code, ...rest }: GPUShaderModuleDescriptor) {
    const broken = label !== undefined && (label === file || label.endsWith(` + ${file}`));
    assert.ok(!broken || code.includes(from), `${file} has no ${from}`);
    const text = broken ? code.replaceAll(from, to) : code;
    return createShaderModule.call(this, { ...rest, ...(label !== undefined && { label }), code: text });
  };
  try {
    return await body();
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
}
