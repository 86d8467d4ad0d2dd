/**
 * The rung that is paging changes addresses alone: on a GPU that writes down what it is asked for, it asks for what the
 * rung before it asks for, dispatch by dispatch, but for the WGSL that finds a slot and the table that this reads.
 */
import assert from "node:assert/strict";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { decodingKv } from "../src/engine/decoding_kv.ts";
import { openGpu } from "../src/host/gpu.ts";
import { openRung } from "../src/measure/ladder/rung_run.ts";
import { wholeRungs } from "../src/measure/ladder/rungs.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { HARDWARE_TUNING, SOFTWARE_TUNING, type Tuning } from "../src/model/tuning.ts";
import { CONFIG } from "./trace/scenes.ts";
import { fakeWebGpu, Trace, type TraceEvent } from "./trace/fake_gpu.ts";

/** The prompt ends within a block; the last tokens need a third one. */
const WORK = { prompt: Array.from({ length: 20 }, (_, i) => i + 1), newTokens: 16 };

/** Traces one run of a rung; addresses are left out, and how many events were about them is counted. */
async function traced(name: string, tuning: Tuning): Promise<{ events: unknown[]; ofTables: number }> {
  const rung = wholeRungs().find((each) => each.name === name)!;
  const trace = new Trace();
  Object.defineProperty(navigator, "gpu", { configurable: true, value: fakeWebGpu(trace) });
  const gpu = await openGpu({ webgpu: "deno" });
  const model = await Gpt2.load(gpu, new SyntheticCheckpoint("traced", CONFIG, 1), {
    tuning,
    weightsDtype: rung.weightsDtype,
  });
  trace.restart();
  const { run, runner } = await openRung(model, rung, WORK);
  await run([]);
  const all = trace.take();
  runner.dispose();
  model.dispose();
  gpu.dispose();
  const size = { nSequences: 1, maxTokens: WORK.prompt.length + WORK.newTokens };
  const { addressing: { files, overrides = {} } } = decodingKv(CONFIG, { ...rung.kv, ...size });
  const ofTable = ({ text }: TraceEvent) => text.startsWith("write kv table ");
  const events = all.filter((event) => !ofTable(event)).map(({ text, kernel }) => {
    if (kernel === undefined) return { text };
    const { label, code, constants, layouts } = kernel;
    const rest = files.reduce((left, file) => left.replace(file.code, ""), code);
    const own = Object.entries(constants).filter(([key]) => !(key in overrides));
    // The table of regions is a uniform, that of blocks is storage.
    return {
      text,
      label,
      rest,
      own,
      layouts: layouts.map((each) => each.replace(/, (?:uniform|read)$/, "")),
    };
  });
  return { events, ofTables: all.filter(ofTable).length };
}

for (const tuning of [SOFTWARE_TUNING, HARDWARE_TUNING]) {
  Deno.test(`Rung 6 asks a GPU for what rung 5 asks for, but for addresses (${tuning.name} tuning)`, async () => {
    const before = await traced("half", tuning), paging = await traced("blocks", tuning);
    assert.ok(before.events.length > 200, `only ${before.events.length} events`);
    assert.deepEqual(paging.events, before.events);
    assert.ok(paging.ofTables > before.ofTables, "the block table was never written");
  });
}

Deno.test("Rungs 4 and 3 do not ask for the same: the comparison sees more than addresses", async () => {
  const { events } = await traced("reuse", SOFTWARE_TUNING), eager = await traced("reserve", SOFTWARE_TUNING);
  assert.ok(eager.events.length > events.length);
});
