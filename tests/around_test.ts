/**
 * A strategy's operators around attention: recorded before K and V are stored, before attention and after it, in each
 * layer; counted by the ledger, by the costs and by `profile`; and able to put memory of their own in the pool's place.
 */
import assert from "node:assert/strict";
import { Decoder } from "../src/engine/decoder.ts";
import { createKernel } from "../src/gpu/kernel.ts";
import { readBuffer } from "../src/gpu/readback.ts";
import type { KvAround, KvAroundDef, KvAttention } from "../src/kv/around.ts";
import { CONTIGUOUS_CACHE } from "../src/kv/contiguous/def.ts";
import { register } from "../src/kv/registry.ts";
import { chooseKv } from "../src/kv/registry.ts";
import { makeKv, type StrategyDef } from "../src/kv/strategy_def.ts";
import { profile } from "../src/measure/profile/profile.ts";
import { kvNeed, STATIC, withDecoder, withRandomModel } from "./decode_support.ts";
import { AWKWARD } from "./fixtures/checkpoint.ts";
import { gpuTest } from "./gpu_support.ts";

/** Adds the rows of a step to a counter. */
const TALLY = `// requires: step.wgsl
@group(1) @binding(0) var<storage, read_write> tally: array<u32>;
@compute @workgroup_size(1)
fn main() {
  tally[0] += counts.n_rows;
}
`;
const USES = { tally: "readWrite" } as const;
const PARTS = ["before", "stored", "after"] as const;

/** Counts rows in a buffer for each layer and part, reads K and V from layers of its own, and notes what it is told. */
function tallying(notes: string[], read: (tallies: number[][]) => void): KvAroundDef {
  return {
    bytes: ({ nSequences }, nLayer) => ({ kv: nSequences, largestKv: nSequences, other: nLayer * 48 }),
    create: async ({ gpu, layouts, nLayer, policy, pool }) => {
      const layout = layouts.of(USES);
      const kernel = await createKernel(gpu.device, {
        label: "toy tally",
        files: [{ name: "tally.wgsl", code: TALLY }],
        groups: [layouts.step, layout],
      });
      const create = (label: string) => gpu.ledger.createBuffer({ label, category: "tables", bytes: 16 });
      const region = gpu.ledger.createBuffer({
        label: "toy region",
        category: "tables",
        bytes: 4,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      gpu.device.queue.writeBuffer(region.buffer, 0, Uint32Array.of(AWKWARD.n_ctx));
      const layers = Array.from({ length: nLayer }, () => {
        const kv = pool.layout.createLayer("toy layer", policy.nSlots);
        const tallies = PARTS.map(create);
        const bound = tallies.map((tally) => layout.bind({ tally }));
        return { kv, groups: pool.layout.bind(kv, region), tallies, bound };
      });
      const part = (index: number) => ({ recorder, layer, batch, groups }: KvAttention) => {
        notes.push(`${PARTS[index]} ${layer}: ${batch.nRows}`);
        assert.equal(groups, layers[layer]!.groups);
        recorder.dispatch(kernel, [layers[layer]!.bound[index]!], 1);
        if (index === 2) recorder.submit();
      };
      const around: KvAround = {
        kvBytes: layers.reduce((sum, { kv }) => sum + kv.bytes, 0),
        submitsWithin: true,
        begin: ({ nRows }) => notes.push(`begin ${nRows}`),
        bindGroups: (layer) => layers[layer]!.groups,
        before: part(0),
        stored: part(1),
        after: part(2),
        end: ({ nRows }, submit) => {
          notes.push(`end ${nRows}`);
          submit();
          const all = layers.map(({ tallies }) =>
            Promise.all(
              tallies.map(async ({ buffer }) => new Uint32Array(await readBuffer(gpu, buffer, 0, 4))[0]!),
            )
          );
          Promise.all(all).then(read);
        },
        costs: () => ({ "toy tally": { bytes: 8 * 3 * nLayer, macs: 3 * nLayer } }),
        dispose: () => {
          region.destroy();
          for (const { kv, tallies } of layers) {
            kv.destroy();
            for (const tally of tallies) tally.destroy();
          }
        },
      };
      return around;
    },
  };
}

const PROMPT = [3, 1, 4, 1, 5], NEW = 3;

function toy(name: string, notes: string[], read: (tallies: number[][]) => void = () => {}): StrategyDef {
  return { ...CONTIGUOUS_CACHE, name, comparedIn: [], cases: [], around: () => tallying(notes, read) };
}

gpuTest(
  "Operators around attention are recorded in each layer, and attention reads the memory that they say",
  async (gpu) => {
    await withRandomModel(gpu, async (model) => {
      const expected = await withDecoder(model, { variant: STATIC }, async (decoder) => {
        decoder.begin([PROMPT]);
        decoder.advance(NEW);
        return await decoder.ids(PROMPT.length);
      });
      const notes: string[] = [], { nLayer, nCtx } = model.config;
      let tallies: number[][] = [];
      const strategy = toy("toy around", notes, (all) => tallies = all);
      const { options } = chooseKv("kv-cache");
      const before = gpu.ledger.current.total;
      const decoder = await Decoder.create(model, makeKv({ strategy, options }, kvNeed(model, 1)), {
        nSequences: 1,
        maxPromptTokens: PROMPT.length,
        maxTokens: nCtx,
      });
      assert.equal(gpu.ledger.current.kv, decoder.runner.kvBytes);
      assert.equal(decoder.runner.kvBytes, 2 * decoder.runner.pool.allocatedBytes);
      decoder.begin([PROMPT]);
      decoder.advance(NEW);
      assert.deepEqual(await decoder.ids(PROMPT.length), expected);
      await decoder.runner.settle();
      decoder.dispose();
      const steps = [PROMPT.length, 1, 1];
      const layers = (rows: number) =>
        Array.from({ length: nLayer }, (_, layer) => PARTS.map((part) => `${part} ${layer}: ${rows}`)).flat();
      assert.deepEqual(notes, steps.flatMap((rows) => [`begin ${rows}`, ...layers(rows), `end ${rows}`]));
      const rows = PROMPT.length + NEW - 1;
      assert.deepEqual(tallies, Array(nLayer).fill(PARTS.map(() => rows)));
      assert.equal(gpu.ledger.current.total, before);
    });
  },
);

gpuTest("A profile has the costs and the dispatches of operators around attention", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const strategy = toy("toy-profiled", []), { nLayer } = model.config;
    register(strategy);
    const { kernels } = await profile(model, {
      strategy: strategy.name,
      kvDtype: "f32",
      prompts: [PROMPT],
      steps: 1,
    });
    const own = kernels.find(({ kernel }) => kernel.startsWith("toy tally"));
    assert.equal(own?.dispatches, 3 * nLayer);
    assert.deepEqual([own.bytes, own.operations], [24 * nLayer, 3 * nLayer]);
  });
});
