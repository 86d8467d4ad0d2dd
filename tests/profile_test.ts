/** `kvbench profile` in this process, with all that it writes, and the timing of dispatches by itself. */
import assert from "node:assert/strict";
import { profileCommand } from "../src/cli/commands/profile.ts";
import { DispatchTimer } from "../src/gpu/dispatch_timer.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { parseProfile, type ProfileResult } from "../src/measure/profile/profile_result.ts";
import { ROLES } from "../src/model/costs.ts";
import type { Trace, TraceEvent } from "../src/report/trace.ts";
import { inScratch } from "./cli_support.ts";
import { permitted } from "./permitted.ts";

const STEPS = 2;
const PROMPT = 9;
/** Dispatches of a step of the embedded model: six layers, one shard. */
const DISPATCHES = { "final norm": 1, qkv: 6, "attention decode": 6, head: 1, argmax: 1 };

/** Runs the subcommand and returns what it printed. */
async function printed(args: readonly string[]): Promise<string> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => lines.push(line);
  try {
    await profileCommand().parseAsync(args, { from: "user" });
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

/** Checks a kernel list: known roles, each timed and with work to do. */
function checkKernels(kernels: ProfileResult["kernels"]): void {
  for (const { kernel, ms, bytes } of kernels) {
    assert.ok(ROLES.some((role) => kernel === role || kernel.startsWith(`${role} (`)), kernel);
    assert.ok(ms > 0, `${kernel}: ${ms} ms`);
    assert.ok(bytes > 0, `${kernel}: ${bytes} bytes`);
  }
}

function checkTrack(track: readonly TraceEvent[], kernels: ProfileResult["kernels"]): void {
  let end = 0;
  for (const { name, ts, dur } of track) {
    assert.ok(ROLES.some((role) => role === name), name);
    assert.ok(ts! >= end && dur! > 0, `${name} begins at ${ts} µs, the one before it ended at ${end}`);
    end = ts! + dur!;
  }
  assert.equal(track[0]?.ts, 0);
  assert.equal(track.length, kernels.reduce((sum, { dispatches }) => sum + dispatches, 0));
}

Deno.test("profile prints a table and writes a valid profile and a trace with a track for every step", {
  ignore: !permitted("read", "write", "env"),
}, async () => {
  await inScratch(async (folder) => {
    const [json, trace] = [`${folder}/profile.json`, `${folder}/trace.json`];
    const args = ["--strategy", "paged", "--prompt-tokens", `${PROMPT}`, "--new-tokens", `${STEPS}`];
    const table = await printed([...args, "--no-autotune", "--json", json, "--trace", trace]);
    const result = parseProfile(JSON.parse(await Deno.readTextFile(json)), json);
    const { kernels, prefill_kernels: prefill, step, peaks } = result;
    checkKernels(kernels);
    checkKernels(prefill);
    for (const [role, count] of Object.entries(DISPATCHES)) {
      const found = kernels.find(({ kernel }) => kernel === role || kernel.startsWith(`${role} (`));
      assert.equal(found?.dispatches, count, role);
      assert.ok(table.includes(`\n${role} `), table);
      assert.ok(found.workgroups! > 0 && found.way!.trips > 0 && found.way!.lines >= 1, found.kernel);
    }
    assert.ok(table.split("\n").slice(1).every((line) => line.length <= 80), table);
    assert.equal(kernels.find(({ kernel }) => kernel.startsWith("argmax"))!.starves_on, "integrated");
    for (const { kernel, best_ms } of kernels) {
      const product = /^(qkv|proj|fc|out) /.test(kernel);
      assert.ok(product ? best_ms! > 0 : best_ms === undefined, `${kernel}: ${best_ms}`);
    }
    assert.ok(prefill.some(({ kernel }) => kernel === "attention prefill"));
    assert.equal(result.what, "a decode step of paged at context 11 to 13");
    assert.ok(peaks.gb_per_s > 0 && peaks.gmacs_per_s > 0);
    // Both sides are of the same steps. What is left is waiting, which a busy machine makes longer; and the GPU may
    // begin before the submission returns.
    const accounted = (step.pass_ms + step.encode_ms + step.submit_ms) / step.wall_ms;
    assert.ok(accounted > 0.4, `${accounted} of a step is accounted for`);

    const { traceEvents }: Trace = JSON.parse(await Deno.readTextFile(trace));
    const dispatches = traceEvents.filter(({ ph }) => ph === "X");
    const names = traceEvents.filter(({ name }) => name === "thread_name").map(({ args }) => args["name"]);
    assert.deepEqual(names, ["prefill", "decode step 1", "decode step 2"]);
    for (let tid = 0; tid <= STEPS; tid++) {
      checkTrack(dispatches.filter((event) => event.tid === tid), tid === 0 ? prefill : kernels);
    }
  });
});

Deno.test("DispatchTimer says that times are unavailable where the device has no timestamps", () => {
  const gpu = { device: { features: new Set() }, facts: { description: "Toy" } } as unknown as Gpu;
  assert.throws(() => new DispatchTimer(gpu), {
    name: "KvbenchError",
    message: /^Kernel times are unavailable: the adapter "Toy" has no timestamp-query/,
  });
});
