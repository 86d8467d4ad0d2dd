/**
 * What fusing kernels saves in a decode step of GPT-2 124M, by storage type of the weights. Where a fusion exists, its
 * second half is done by a dispatch more; where it does not, the dispatch that it would save is left out, which is the
 * most that it could save, or a fused kernel takes its place. What is computed then means nothing.
 *
 * What takes turns is one layer, or what follows the last one, as it is and altered: short enough to be undisturbed
 * now and then on a machine with other work. Times are those that a tenth of the rounds stay below, since other work
 * only adds; differences are per step, as shares of twelve layers and what follows them. What is measured once more
 * tells how much of a difference is noise.
 *
 *   deno run --allow-env=XDG_RUNTIME_DIR bench/fusion.ts [--rounds 400]
 *
 * @module
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import {
  batchOf,
  createLayouts,
  type Dtype,
  DTYPES,
  Gpt2,
  Gpu,
  PRESETS,
  Recorder,
  StepTables,
  SyntheticCheckpoint,
  tuningFor,
} from "../mod.ts";
import { BindLayout } from "../src/gpu/bind_layout.ts";
import { createKernel, type Kernel } from "../src/gpu/kernel.ts";
import { KvCache } from "../src/kv/kv_cache.ts";
import { dimsOf } from "../src/model/dims.ts";
import { FILES, placeFiles } from "../src/model/files.ts";
import { accessesOf, BINDINGS, type Role } from "../src/model/kernels.ts";
import { packedBytes } from "../src/model/pack.ts";
import elementwiseCode from "./elementwise.wgsl" with { type: "text" };
import normedAloneCode from "./normed_alone.wgsl" with { type: "text" };
import normedSharedCode from "./normed_shared.wgsl" with { type: "text" };

/** What a step attends to. */
const CONTEXT = 128;

const { values: options } = parseArgs({ options: { rounds: { type: "string", default: "400" } } });
const config = PRESETS.gpt2, { e4, a4, i4 } = dimsOf(config);
const gpu = await Gpu.open();
const tuning = tuningFor(gpu.facts), layouts = createLayouts(gpu.device, tuning);

/** Records something else in place of a dispatch, or beside it. */
type Alteration = (recorder: PartRecorder, record: () => void) => void;
/** What is done with the dispatches of some kernels, in a layer or in what follows the last one. */
interface Altered {
  readonly part: "layer" | "end";
  readonly kernels: Readonly<Partial<Record<Role, Alteration>>>;
}

/** Records one layer of a pass, or what follows the last one, and alters the dispatches of some kernels. */
class PartRecorder extends Recorder {
  readonly #part: number;
  readonly #altered: Altered["kernels"];
  #norms = 0;

  /** @param part The number of the layer, or of layers for what follows them. */
  constructor(part: number, altered: Altered["kernels"]) {
    super(gpu.device);
    this.#part = part;
    this.#altered = altered;
  }

  override dispatch(kernel: Kernel, groups: readonly GPUBindGroup[], x: number, y = 1, z = 1): void {
    // A layer begins with the first of its two norms, its end with the final one.
    if (kernel.label === "norm") this.#norms++;
    if (kernel.label === "final norm") this.#norms = 2 * config.nLayer + 1;
    if (Math.ceil(this.#norms / 2) !== this.#part + 1) return;
    const record = () => this.always(kernel, groups, x, y, z);
    const alter = this.#altered[kernel.label as Role];
    if (alter) alter(this, record);
    else record();
  }

  /** Records a dispatch unaltered. */
  always(...dispatch: Parameters<Recorder["dispatch"]>): void {
    super.dispatch(...dispatch);
  }
}

const nothing: Alteration = () => {};

/** Buffers and textures of one type of weights. */
class Scratch {
  readonly #entries: { destroy(): void }[] = [];

  create(bytes: number) {
    const buffer = gpu.ledger.createBuffer({ label: "bench", category: "staging", bytes });
    this.#entries.push(buffer);
    return buffer;
  }

  vectors(bytes: number, texels: boolean) {
    const vectors = gpu.ledger.createVectors({ label: "bench", category: "staging", bytes }, { texels });
    this.#entries.push(vectors);
    return vectors;
  }

  dispose(): void {
    for (const entry of this.#entries) entry.destroy();
  }
}

/** A dispatch of its own, after another, for what that one does with its finished sums. */
async function apart(scratch: Scratch, n4: number, gelu: boolean): Promise<Alteration> {
  const layout = new BindLayout(gpu.device, "elementwise", { x: "read", y: "readWrite" });
  const kernel = await createKernel(gpu.device, {
    label: "apart",
    files: [FILES.step, { name: "elementwise.wgsl", code: elementwiseCode }],
    groups: [layouts.step, layout],
    overrides: { N4: n4, GELU: Number(gelu) },
  });
  const group = layout.bind({ x: scratch.create(n4 * 16), y: scratch.create(n4 * 16) });
  return (recorder, record) => {
    record();
    recorder.always(kernel, [group], Math.ceil(n4 / 8));
  };
}

/** A product that makes its own layer norm, over as many bytes of weights as the model has. */
async function normed(
  scratch: Scratch,
  { n4, gelu, dtype, code }: { n4: number; gelu: boolean; dtype: Dtype; code: string },
): Promise<Alteration> {
  const { texels, tileGroup } = tuning;
  // What is not normalised yet lies in a buffer; another kernel reads what is made of it.
  const uses = { ...BINDINGS.linearChained, x: "read", gamma: "read", beta: "read" } as const;
  const places = placeFiles({
    weight: { dtype, texels },
    x: { texels: false },
    y: { texels },
  });
  const layout = new BindLayout(gpu.device, "normed", accessesOf(uses, tuning));
  const kernel = await createKernel(gpu.device, {
    label: "normed",
    files: [...places, FILES.linear, FILES.linearWide, { name: "normed.wgsl", code }],
    groups: [layouts.step, layout],
    overrides: {
      K4: e4,
      N4: n4,
      TILE_GROUP: tuning.tileGroup,
      Y_STRIDE4: n4,
      Y_OFFSET4: 0,
      BIAS: 1,
      GELU: Number(gelu),
      LANES: tuning.linearLanes,
      N_EMBD: config.nEmbd,
      EPSILON: config.layerNormEpsilon,
    },
  });
  const y = scratch.vectors(n4 * 16, texels);
  const row = { x: scratch.create(e4 * 16), y, bias: scratch.create(n4 * 16) };
  const norm = { gamma: scratch.create(e4 * 16), beta: scratch.create(e4 * 16) };
  const groups = Array.from({ length: config.nLayer }, () =>
    layout.bind({
      ...row,
      ...norm,
      scale: row.bias,
      weight: scratch.vectors(packedBytes(e4, n4, { tileGroup, dtype }), texels),
    }));
  let layer = 0;
  return (recorder) => {
    recorder.always(kernel, [groups[layer++ % config.nLayer]!], Math.ceil(n4 / (4 * tuning.linearLanes)));
  };
}

/** The alterations, by what they tell. */
async function alterations(scratch: Scratch, dtype: Dtype): Promise<Record<string, Altered>> {
  const fused = async (code: string): Promise<Altered> => ({
    part: "layer",
    kernels: {
      norm: nothing,
      qkv: await normed(scratch, { n4: 3 * a4, gelu: false, dtype, code }),
      fc: await normed(scratch, { n4: i4, gelu: true, dtype, code }),
    },
  });
  const residual = await apart(scratch, e4, false);
  return {
    "a layer as it is, once more": { part: "layer", kernels: {} },
    "the end as it is, once more": { part: "end", kernels: {} },
    "GELU apart from FC": { part: "layer", kernels: { fc: await apart(scratch, i4, true) } },
    "residuals apart from projections": { part: "layer", kernels: { proj: residual, out: residual } },
    "no layer norm": { part: "layer", kernels: { norm: nothing } },
    "layer norm in QKV and FC, by workgroup": await fused(normedSharedCode),
    "layer norm in QKV and FC, by lane": await fused(normedAloneCode),
    "no final norm": { part: "end", kernels: { "final norm": nothing } },
    "no argmax": { part: "end", kernels: { argmax: nothing } },
  };
}

/** A step's ms, and what every alteration adds to it. */
async function measure(dtype: Dtype): Promise<{ ms: number; added: Map<string, number> }> {
  const checkpoint = new SyntheticCheckpoint("gpt2", config, 0);
  const model = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: dtype });
  const shape = { ...config, ...model.dims, nSequences: 1, dtype: "f32", texels: tuning.texels } as const;
  const kv = new KvCache(gpu, shape, { growth: "static", capacityTokens: CONTEXT });
  const workspace = model.workspace({ maxRows: 1, maxSpans: 1, maxOutputs: 1 });
  const access = {
    kernels: await model.stepKernels(kv.source),
    bindGroups: (layer: number) => kv.bindGroups(layer),
  };
  const batch = batchOf([{ sequence: 0, first: CONTEXT - 1, count: 1, outputs: 1 }]);
  const tables = new StepTables(gpu, model.stepLayout, { maxRows: 1, maxSpans: 1, maxOutputs: 1 }, 1);
  const offsets = tables.set(0, batch);
  tables.upload(1);
  const scratch = new Scratch();
  const altered: [string, Altered][] = [
    ["layer", { part: "layer", kernels: {} }],
    ["end", { part: "end", kernels: {} }],
    ...Object.entries(await alterations(scratch, dtype)),
  ];
  let layer = 0; // another one each time, so that none finds its weights in the cache
  const samples = new Map<string, number[]>(altered.map(([name]) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, { part, kernels }] of altered) {
      const recorder = new PartRecorder(part === "end" ? config.nLayer : layer++ % config.nLayer, kernels);
      recorder.share(tables.group, offsets);
      model.forward(recorder, workspace, batch, access);
      model.choose(recorder, workspace, batch, access, false);
      const start = performance.now();
      recorder.submit();
      await gpu.fence.wait();
      samples.get(name)!.push(performance.now() - start);
    }
    gpu.assertHealthy();
  }
  for (const each of [scratch, tables, workspace, kv, model]) each.dispose();
  const tenth = (name: string) => {
    const sorted = samples.get(name)!.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 10)]!;
  };
  const times = { layer: config.nLayer, end: 1 };
  const added = altered.slice(2).map(([name, { part }]): [string, number] => [
    name,
    times[part] * (tenth(name) - tenth(part)),
  ]);
  return { ms: times.layer * tenth("layer") + tenth("end"), added: new Map(added) };
}

const columns = [];
for (const dtype of DTYPES) columns.push(await measure(dtype));
const table = new Table({
  head: ["a decode step", ...DTYPES.map((dtype) => `${dtype} weights`)],
  style: { head: [] },
});
table.push(["as it is", ...columns.map(({ ms }) => `${ms.toFixed(1)} ms`)]);
for (const name of columns[0]!.added.keys()) {
  table.push([
    name,
    ...columns.map(({ ms, added }) => {
      const more = added.get(name)!, sign = more < 0 ? "-" : "+";
      return `${sign}${Math.abs(more).toFixed(2)} ms, ${sign}${(100 * Math.abs(more) / ms).toFixed(1)} %`;
    }),
  ]);
}
console.log(`gpt2 on ${gpu.facts.description}, context ${CONTEXT}, ${options.rounds} rounds`);
console.log(table.toString());
gpu.dispose();
