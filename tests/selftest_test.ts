/**
 * `kvbench selftest`, whole: every check is in its record and in its table, those of a storage type, an operator and a
 * strategy from outside `src` among them, and a kernel that is wrong is named.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { selftestCommand } from "../src/cli/commands/selftest.ts";
import { registerFormat } from "../src/formats/registry.ts";
import { register } from "../src/kv/registry.ts";
import { registerOperator } from "../src/model/operators.ts";
import { selfTestTable } from "../src/report/selftest_table.ts";
import { withBroken } from "./broken_kernel.ts";
import { BF16 } from "./fixtures/toys/bf16.ts";
import { RMS_NORM } from "./fixtures/toys/rms_norm/operator.ts";
import { permitted } from "./permitted.ts";
import { TOY_DILATED } from "./toy_dilated/dilated.ts";

registerFormat(BF16);
registerOperator(RMS_NORM);
register(TOY_DILATED);

Deno.test("selftest prints a record of every check as JSON, and a table, and fails where a kernel is wrong", {
  ignore: !permitted("read"),
}, async () => {
  const { log } = console;
  const { exitCode } = Deno;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    await withBroken(
      "attention_decode.wgsl",
      () => selftestCommand().parseAsync(["--json"], { from: "user" }),
    );
    assert.equal(Deno.exitCode, 1);
  } finally {
    console.log = log;
    Deno.exitCode = exitCode;
  }
  const record = parseSelfTest(JSON.parse(lines.join("\n")), "stdout");
  const wrong = record.checks.filter(({ verdict }) => verdict !== "right").map(({ kernel }) => kernel);
  assert.deepEqual([...new Set(wrong)], ["attention_decode.wgsl", "golden prompts"]);
  const ofFormat = record.checks.filter(({ variant }) => variant.startsWith(BF16.name)).map(({ kernel }) =>
    kernel
  );
  for (const kernel of ["embedding.wgsl", "linear_rows_block.wgsl"]) {
    assert.ok(ofFormat.includes(kernel), kernel);
  }
  assert.ok(record.checks.filter(({ kernel }) => kernel === "rms_norm.wgsl").length >= 2);
  assert.ok(record.checks.some(({ variant }) => variant.startsWith("toy dilated")));
  const table = selfTestTable(record);
  assert.match(table, /^WebGPU of Deno: .+, (software|hardware), .+$/m);
  assert.match(table, /attention_decode\.wgsl +paged by 16, f32, .+ +\S+ +4\.0e-6 +wrong/);
  assert.match(table, /^attention_decode\.wgsl \(paged by 16, f32, software tuning\) is wrong: 7 rows/m);
  assert.match(table, /^\d+ of \d+ checks are not right$/m);
});
