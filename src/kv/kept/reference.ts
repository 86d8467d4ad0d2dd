/**
 * The reference of strategies that keep some tokens of each head: a cache that keeps all tokens, and masks those that the
 * definition drops. Another memory, other WGSL, and a choice of its own.
 */
import { createKernel } from "../../gpu/kernel.ts";
import type { KvAroundDef } from "../around.ts";
import { ContiguousPolicy } from "../contiguous/policy.ts";
import type { KvTraits } from "../policy.ts";
import { SLOT_GROUP } from "../slot_group.ts";
import type { AddressCase, Kv, KvAddressing, KvNeed } from "../strategy_def.ts";
import { KEPT_FILES, KV_KEPT_MASK } from "./files.ts";
import { scoring } from "./plans.ts";
import type { KeptRule } from "./rule.ts";

const USES = { x: "operand", state: "readWrite" } as const;
/** The position of no row. */
const NEVER = 0xffffffff;

function addressing(layersKept: number): KvAddressing {
  return { files: [KV_KEPT_MASK], table: { width: 1 }, slotGroup: SLOT_GROUP, layersKept };
}

/** Makes the memory. */
export function keptReference(traits: KvTraits, rule: KeptRule, need: KvNeed): Kv {
  const own: KvTraits = { ...traits, keeps: "all" };
  const { nSequences, nLayer, maxTokens: capacity } = need;
  return {
    strategy: { name: "a full computation with a mask", traits: own },
    policy: new ContiguousPolicy({ traits: own, nRegions: nSequences, capacity, growth: "static" }),
    addressing: addressing(nLayer),
    around: masking(rule, capacity),
  };
}

/** Returns the words of a layer's state: nothing has left. */
function stateOf(capacity: number, nHead: number, nSequences: number): Uint32Array<ArrayBuffer> {
  const n = nSequences * nHead * capacity, words = new Uint32Array(2 + 3 * n);
  words.set([capacity, nHead]);
  return words.fill(NEVER, 2, 2 + n);
}

/** The rows that a dispatch of the kernel adds; see `kept_mask.wgsl`. */
const ROWS = 8;

/** Scores and chooses after each layer's attention. */
function masking(rule: KeptRule, capacity: number): KvAroundDef {
  const observed = Math.min(rule.observed, capacity), nParts = Math.ceil(observed / ROWS);
  return {
    bytes: ({ nHead, nSequences }, nLayer) => ({
      ...{ kv: 0, largestKv: 0 },
      other: 16 * nParts + nLayer * (16 + 12 * nSequences * nHead * capacity),
    }),
    create: async (context) => {
      const { gpu, layouts, nHead, nLayer, lanes, pool, shape: { nSequences } } = context;
      const { device, ledger } = gpu, { heavy, recent, pool: neighbours, everyStep } = rule;
      const compile = (stage: number) =>
        createKernel(
          device,
          scoring(context, pool.layout.source, {
            label: "kept mask",
            uses: USES,
            files: [KEPT_FILES.mask],
            overrides: {
              ...{ HEAVY: heavy, RECENT: recent, OBSERVED: observed, POOL: neighbours },
              ...{ STAGE: stage, ROWS },
            },
          }),
        );
      const [add, average, leave] = await Promise.all([compile(0), compile(1), compile(2)]);
      const state = stateOf(capacity, nHead, nSequences);
      return ledger.allOrNone(() => {
        const create = (label: string, words: number) =>
          ledger.createBuffer({ label, category: "tables", bytes: 4 * words });
        const parts = Array.from({ length: nParts }, (_, part) => {
          const own = create("kept mask part", 3);
          device.queue.writeBuffer(own.buffer, 0, new Uint32Array([capacity, nHead, part]));
          return own;
        });
        const layers = Array.from({ length: nLayer }, (_, n) => {
          const own = create("kept mask", state.length);
          const bind = (table: typeof own) => pool.layout.bind(pool.layers[n]!, table);
          return { state: own, attention: bind(own), parts: parts.map((part) => bind(part).read) };
        });
        /** Of the step: rows of the longest sequence that count, and tokens up to the last row. */
        let rows = 0, tokens = 0;
        return {
          kvBytes: 0,
          begin: (batch) => {
            tokens = 1 + batch.rows.subarray(0, 2 * batch.nRows).filter((_, i) => i % 2 === 1)
              .reduce((a, b) => Math.max(a, b));
            const isPrompt = batch.rows[1] === 0;
            rows = isPrompt ? Math.min(observed, tokens) : Number(everyStep);
            if (!isPrompt) return;
            for (const layer of layers) device.queue.writeBuffer(layer.state.buffer, 0, state);
          },
          bindGroups: (layer) => layers[layer]!.attention,
          after: ({ recorder, layer, qkv }) => {
            if (rows === 0) return;
            const { state, parts } = layers[layer]!, own = layouts.of(USES).bind({ x: qkv, state });
            for (const part of parts.slice(0, Math.ceil(rows / ROWS))) {
              recorder.dispatch(add, [own, part], nHead, nSequences);
            }
            for (const kernel of [average, leave]) {
              recorder.dispatch(kernel, [own, parts[0]!], nHead, nSequences, Math.ceil(tokens / lanes));
            }
          },
          costs: () => ({}),
          dispose: () => [...parts, ...layers.map(({ state }) => state)].forEach((each) => each.destroy()),
        };
      });
    },
  };
}

/** Every third token leaves some rows after it came. */
const STAYS = 20;

/** Makes memory with a mask, to check kernels with. */
export function maskCase(name: string): AddressCase {
  return {
    name,
    lay: ({ nSequences, tokensPerSequence }) => {
      const heads = 16, n = nSequences * heads;
      const gone = Array.from(
        { length: tokensPerSequence },
        (_, token) => token % 3 === 0 ? token + STAYS : NEVER,
      );
      return {
        addressing: addressing(1),
        table: [tokensPerSequence, heads, ...Array.from({ length: n }, () => gone).flat()],
        nSlots: nSequences * tokensPerSequence,
        slot: (sequence, position) => sequence * tokensPerSequence + position,
        isVisible: (row, position) => position <= row && (position % 3 > 0 || row < position + STAYS),
      };
    },
  };
}
