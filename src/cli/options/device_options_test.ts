import assert from "node:assert/strict";
import { Command } from "./commander.ts";
import { DEFAULT_LIMITS, FEATURES } from "../../gpu/limits.ts";
import { addDeviceOptions, gpuOptions } from "./device_options.ts";

function parse(...args: string[]) {
  const command = addDeviceOptions(new Command()).exitOverride().configureOutput({ writeErr: () => {} });
  return gpuOptions(command.parse(args, { from: "user" }).opts());
}

Deno.test("The device is opened with everything by default", () => {
  assert.deepEqual(parse(), {});
});

Deno.test("--webgpu, --disable-feature and --limit add up", () => {
  assert.deepEqual(
    parse(
      ...["--webgpu", "dawn", "--disable-feature", "subgroups", "--disable-feature", "shader-f16"],
      ...["--limit", "default", "--limit", "maxBufferSize=536870912"],
    ),
    {
      webgpu: "dawn",
      disabledFeatures: ["subgroups", "shader-f16"],
      limits: { ...DEFAULT_LIMITS, maxBufferSize: 536870912 },
    },
  );
  assert.deepEqual(parse("--disable-feature", "all"), { disabledFeatures: FEATURES });
});

Deno.test("--disable-feature immediates says that it changes nothing", () => {
  const { error } = console;
  const lines: string[] = [];
  console.error = (line: string) => lines.push(line);
  try {
    const args = ["--disable-feature", "immediates"];
    assert.deepEqual(parse("--disable-feature", "subgroups", ...args), { disabledFeatures: ["subgroups"] });
    assert.deepEqual(parse(...args), { disabledFeatures: [] });
  } finally {
    console.error = error;
  }
  assert.deepEqual(lines, Array(2).fill("kvbench: immediates is never used: there is nothing to do without"));
});

Deno.test("Unknown implementations, features and limits are refused with those that there are", () => {
  assert.throws(() => parse("--webgpu", "mesa"), /Allowed choices are deno, dawn/);
  assert.throws(
    () => parse("--disable-feature", "f16"),
    /Expected shader-f16, timestamp-query, subgroups or all/,
  );
  for (const text of ["maxBufferSize", "maxBufferSize=-1", "maxBufferSize=1e9", "maxTextures=4", "=1", ""]) {
    assert.throws(
      () => parse("--limit", text),
      /Expected default, or NAME=VALUE with a name of maxBufferSize/,
      text,
    );
  }
});
