/**
 * `kvbench selftest`: every kernel is in its record and in its table, that of an operator from outside `src` among them,
 * and one that is wrong is named. Its checks have the storage types and strategies from outside too; what they find is
 * what tests of kernels find, and `deno task conformance` runs them whole.
 */
import assert from "node:assert/strict";
import { kernelChecks } from "../src/check/kernel_checks.ts";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { PRESETS } from "../src/checkpoint/config.ts";
import { selftestCommand } from "../src/cli/commands/selftest.ts";
import { everyKvDtype } from "../src/formats/kv_dtype.ts";
import { registerFormat, WEIGHT_DTYPES } from "../src/formats/registry.ts";
import { register } from "../src/kv/registry.ts";
import { registerOperator } from "../src/model/operators.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING } from "../src/model/tuning.ts";
import { selfTestTable } from "../src/report/selftest_table.ts";
import { BREAKS, withBroken } from "./broken_kernel.ts";
import { BF16 } from "./fixtures/toys/bf16.ts";
import { RMS_NORM } from "./fixtures/toys/rms_norm/operator.ts";
import { permitted } from "./permitted.ts";
import { TOY_DILATED } from "./toy_dilated/dilated.ts";

registerFormat(BF16);
registerOperator(RMS_NORM);
register(TOY_DILATED);

Deno.test("Checks have what is registered from outside src: an operator, a type in its kernels, and a strategy", () => {
  const checks = kernelChecks({
    config: PRESETS.gpt2,
    tunings: [SOFTWARE_TUNING, HARDWARE_TUNING],
    weightsDtypes: WEIGHT_DTYPES,
    kvDtypes: everyKvDtype(),
  });
  const ofFormat = checks.filter(({ variant }) => variant.startsWith(BF16.name)).map(({ kernel }) => kernel);
  for (const kernel of ["embedding.wgsl", "linear_rows_block.wgsl"]) {
    assert.ok(ofFormat.includes(kernel), kernel);
  }
  assert.ok(checks.filter(({ kernel }) => kernel === "rms_norm.wgsl").length >= 2);
  assert.ok(checks.some(({ variant }) => variant.startsWith("toy dilated")));
});

Deno.test("selftest prints a record of every kernel as JSON, and a table, and fails where one is wrong", {
  ignore: !permitted("read"),
}, async () => {
  const { log } = console;
  const { exitCode } = Deno;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    await withBroken(
      "attention_decode.wgsl",
      () => selftestCommand().parseAsync(["--quick", "--json"], { from: "user" }),
    );
    assert.equal(Deno.exitCode, 1);
  } finally {
    console.log = log;
    Deno.exitCode = exitCode;
  }
  const record = parseSelfTest(JSON.parse(lines.join("\n")), "stdout");
  const wrong = record.checks.filter(({ verdict }) => verdict !== "right").map(({ kernel }) => kernel);
  assert.deepEqual([...new Set(wrong)], ["attention_decode.wgsl", "golden prompts"]);
  const kernels = record.checks.map(({ kernel }) => kernel);
  for (const kernel of [...Object.keys(BREAKS), "rms_norm.wgsl"]) assert.ok(kernels.includes(kernel), kernel);
  const table = selfTestTable(record);
  assert.match(table, /^WebGPU of Deno: .+, (software|hardware), .+$/m);
  assert.match(table, /attention_decode\.wgsl +paged by 16, f32, .+ +\S+ +4\.0e-6 +wrong/);
  assert.match(table, /^attention_decode\.wgsl \(paged by 16, f32, software tuning\) is wrong: 7 rows/m);
  assert.match(table, /^\d+ of \d+ checks are not right$/m);
});
