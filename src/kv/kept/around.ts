/**
 * Attention of strategies that keep some tokens of each head. Prompts are computed whole in one step, over K and V in a
 * scratch that all layers share; after each layer's attention the tokens that stay are chosen, and their K and V are stored
 * in the layer's memory. The scratch is freed behind the step. A strategy that chooses in every step then scores each
 * row, and puts its token in the place of one that leaves.
 */
import { createKernel, type Kernel } from "../../gpu/kernel.ts";
import type { LedgerBuffer, LedgerVectors } from "../../gpu/ledger.ts";
import { readBuffer } from "../../gpu/readback.ts";
import type { KvAround, KvAroundContext, KvAroundDef, KvAttention, KvBatch } from "../around.ts";
import { kvRowBytes, type KvShape } from "../shape.ts";
import type { KvGroups } from "../source.ts";
import { keptCosts } from "./costs.ts";
import {
  CHOICE_USES,
  choicePlan,
  type KeptPlan,
  normsPlan,
  SCORE_USES,
  scoresPlan,
  STEP_USES,
  stepPlan,
  STORE_USES,
  storePlan,
} from "./plans.ts";
import { KeptPolicy } from "./policy.ts";
import { type KeptRule, NO_BOUND, slotsOf } from "./rule.ts";

/** Words of an entry in tables of what is kept; see `kept_table.wgsl`. */
const KEPT_WORDS = 3;
/** Words of a sequence in `kept_places.wgsl`. */
export const PLACE_WORDS = 8;

/** A kernel with its plan. */
interface Planned extends KeptPlan {
  readonly kernel: Kernel;
}

/** Memory of a step that computes prompts. */
interface Scratch {
  readonly groups: KvGroups;
  readonly work: LedgerBuffer;
  readonly kvBytes: number;
  free(): void;
}

type Kernels = Readonly<Record<"norms" | "scores" | "choice" | "store" | "step" | "move", Planned>>;

/** Bytes of what is computed of prompts; see `kept_work.wgsl`. */
function workBytes(nHead: number, nSequences: number, longest: number, nRows: number): number {
  return 4 * nHead * (2 * nRows + 3 * nSequences * longest);
}

/** The operators of a rule. */
class KeptAround implements KvAround {
  readonly #context: KvAroundContext;
  readonly #policy: KeptPolicy;
  readonly #rule: KeptRule;
  readonly #kernels: Kernels;
  /** By layer, which tokens are kept. */
  #tables: LedgerBuffer[] = [];
  /** By layer and use, what single rows bind. */
  #bound = new Map<string, GPUBindGroup>();
  #scratch: Scratch | undefined;

  constructor(context: KvAroundContext, policy: KeptPolicy, rule: KeptRule, kernels: Kernels) {
    this.#context = context;
    this.#policy = policy;
    this.#rule = rule;
    this.#kernels = kernels;
  }

  get kvBytes(): number {
    return this.#scratch?.kvBytes ?? 0;
  }

  begin(batch: KvBatch): void {
    if (batch.rows[1] === 0) this.#beginPrompts(batch);
  }

  bindGroups(layer: number): KvGroups {
    return this.#scratch?.groups ?? this.#context.pool.bindGroups(layer);
  }

  after(attention: KvAttention): void {
    if (this.#scratch) this.#choose(attention, this.#scratch);
    else if (this.#rule.everyStep) this.#replace(attention);
  }

  end(_batch: KvBatch, submit: () => void): void {
    if (!this.#scratch) return;
    submit();
    this.#scratch.free();
    this.#scratch = undefined;
  }

  costs(batch: KvBatch): ReturnType<typeof keptCosts> {
    const { shape, nLayer, nHead, headDim } = this.#context;
    return keptCosts(batch, this.#rule, this.#policy, {
      ...{ nLayer, nHead, headDim, nSequences: shape.nSequences },
      rowBytes: kvRowBytes(shape),
    });
  }

  async kept(sequence: number): Promise<number[][][]> {
    const { gpu, nHead } = this.#context, { perRegion } = this.#policy, rule = this.#rule;
    const { promptTokens, computed } = this.#policy.progress(sequence);
    const noted = this.#policy.storedTokens(rule.everyStep ? computed : promptTokens, sequence);
    const since = rule.everyStep
      ? []
      : Array.from({ length: computed - promptTokens }, (_, i) => promptTokens + i);
    const headBytes = 4 * KEPT_WORDS * perRegion;
    return await Promise.all(this.#tables.map(async ({ buffer }) => {
      const words = new Uint32Array(
        await readBuffer(gpu, buffer, sequence * nHead * headBytes, nHead * headBytes),
      );
      return Array.from({ length: nHead }, (_, head) => {
        const entry = (i: number) => words[(head * perRegion + i) * KEPT_WORDS]!;
        return [...Array.from({ length: noted }, (_, i) => entry(i)).sort((a, b) => a - b), ...since];
      });
    }));
  }

  dispose(): void {
    this.#scratch?.free();
    for (const table of this.#tables) table.destroy();
  }

  /** Makes what the step needs, and tables of the size that the sequences have now. */
  #beginPrompts(batch: KvBatch): void {
    const { gpu, shape: { nSequences }, nHead, nLayer, pool } = this.#context, policy = this.#policy;
    const { longestPrompt: longest, perRegion } = policy, { device, ledger } = gpu;
    const bytes = 4 * KEPT_WORDS * nSequences * nHead * perRegion;
    for (const table of this.#tables.splice(0)) table.destroy();
    this.#bound = new Map();
    this.#scratch = ledger.allOrNone(() => {
      const layer = pool.layout.createLayer("kv of prompts", nSequences * longest);
      const create = (label: string, bytes: number) =>
        ledger.createBuffer({ label, category: "tables", bytes });
      const places = create("kv places of prompts", 4 * PLACE_WORDS * nSequences);
      const work = create("kept work", workBytes(nHead, nSequences, longest, batch.nRows));
      this.#tables = Array.from({ length: nLayer }, () => create("kept tokens", bytes));
      const words = new Uint32Array(PLACE_WORDS * nSequences);
      for (let row = 0; row < batch.nRows; row++) {
        const [sequence, position] = [batch.rows[2 * row]!, batch.rows[2 * row + 1]!];
        if (position > 0) continue;
        const [, , , ...rest] = policy.place(sequence);
        if (rest[1] !== row) {
          throw new Error(`The prompt of sequence ${sequence} begins at row ${row}: expected ${rest[1]}`);
        }
        words.set([sequence * longest, 0, NO_BOUND, ...rest], PLACE_WORDS * sequence);
      }
      device.queue.writeBuffer(places.buffer, 0, words);
      return {
        groups: pool.layout.bind(layer, places),
        work,
        kvBytes: layer.bytes,
        free: () => [layer, places, work].forEach((each) => each.destroy()),
      };
    });
  }

  #choose({ recorder, layer, batch, qkv }: KvAttention, { groups, work }: Scratch): void {
    const { layouts, shape: { nSequences }, pool } = this.#context,
      { norms, scores, choice, store } = this.#kernels;
    const longest = this.#policy.longestPrompt, kept = this.#tables[layer]!;
    const record = ({ kernel, grid }: Planned, own: GPUBindGroup, kv: GPUBindGroup) =>
      recorder.dispatch(kernel, [own, kv], ...grid(batch, { nSequences, longest }));
    const { heavy, recent, everyStep } = this.#rule;
    if (everyStep || longest > heavy + recent) {
      const scored = layouts.of(SCORE_USES).bind({ x: qkv, work });
      record(norms, scored, groups.read);
      record(scores, scored, groups.read);
    }
    record(choice, layouts.of(CHOICE_USES).bind({ kept, work }), groups.read);
    record(store, layouts.of(STORE_USES).bind({ x: qkv, kept }), pool.bindGroups(layer).write);
  }

  #replace({ recorder, layer, batch, qkv, groups: { read, write } }: KvAttention): void {
    const { shape: { nSequences } } = this.#context, { step, move } = this.#kernels;
    const kept = this.#tables[layer]!, sizes = { nSequences, longest: this.#policy.longestPrompt };
    recorder.dispatch(
      step.kernel,
      [this.#group(STEP_USES, layer, qkv, kept), read],
      ...step.grid(batch, sizes),
    );
    recorder.dispatch(
      move.kernel,
      [this.#group(STORE_USES, layer, qkv, kept), write],
      ...move.grid(batch, sizes),
    );
  }

  /** Binds a layer's table for steps, once. */
  #group(
    uses: typeof STEP_USES | typeof STORE_USES,
    layer: number,
    x: LedgerVectors,
    kept: LedgerBuffer,
  ): GPUBindGroup {
    const key = `${uses.kept} ${layer}`;
    const group = this.#bound.get(key) ?? this.#context.layouts.of<"x" | "kept">(uses).bind({ x, kept });
    this.#bound.set(key, group);
    return group;
  }
}

/** The lengths that memory is made for. */
interface KeptNeed {
  readonly nSequences: number;
  /** The longest sequence, in tokens. */
  readonly maxTokens: number;
  /** The longest prompt, in tokens. */
  readonly maxPromptTokens: number;
}

/** Says which operators a rule has. */
export function keptAround(
  rule: KeptRule,
  { nSequences, maxTokens, maxPromptTokens }: KeptNeed,
): KvAroundDef {
  return {
    bytes: (shape: KvShape, nLayer) => {
      const slots = slotsOf(rule, maxPromptTokens, maxTokens), row = kvRowBytes(shape);
      const layer = nSequences * slots * row, scratch = nSequences * maxPromptTokens * row;
      return {
        kv: nLayer * layer + scratch,
        largestKv: Math.max(layer, scratch),
        other: nLayer * 4 * KEPT_WORDS * nSequences * shape.nHead * slots +
          workBytes(shape.nHead, nSequences, maxPromptTokens, nSequences * maxPromptTokens) +
          4 * PLACE_WORDS * nSequences,
      };
    },
    create: async (context) => {
      const { gpu: { device }, policy, pool: { layout: { source } } } = context;
      if (!(policy instanceof KeptPolicy)) {
        throw new Error("Another policy: expected one that keeps some tokens");
      }
      const compile = async (plan: KeptPlan): Promise<Planned> => ({
        ...plan,
        kernel: await createKernel(device, plan.spec),
      });
      const [norms, scores, choice, store, step, move] = await Promise.all([
        compile(normsPlan(context, source)),
        compile(scoresPlan(context, source)),
        compile(choicePlan(context, source, rule)),
        compile(storePlan(context, source, rule, false)),
        compile(stepPlan(context, source, rule)),
        compile(storePlan(context, source, rule, true)),
      ]);
      return new KeptAround(context, policy, rule, { norms, scores, choice, store, step, move });
    },
  };
}
