/**
 * The gathering of blocks before attention: in each layer, the blocks of every sequence of a step are copied to one scratch,
 * where they lie one after another. All layers share the scratch.
 */
import { createKernel, type Kernel } from "../../gpu/kernel.ts";
import type { LedgerVectors } from "../../gpu/ledger.ts";
import { TEXEL_BYTES } from "../../gpu/texels.ts";
import { lanesOf } from "../../gpu/wgsl.ts";
import type { KvAround, KvAroundContext, KvAroundDef, KvBatch, KvCost } from "../around.ts";
import { KV_GATHER } from "../files.ts";
import { kvRowBytes, type KvShape } from "../shape.ts";

interface GatherSizes {
  /** Tokens of a block. */
  readonly blockSize: number;
  /** Blocks in a row of the block table. */
  readonly maxBlocks: number;
  /** Blocks of a sequence's region in the scratch. */
  readonly regionBlocks: number;
}

/** Workgroups that share the copying of one sequence at most. */
const MOST_STRETCHES = 64;

const USES = {
  texels: { from: "readTexels", to: "writeTexels", block_table: "read" },
  words: { from: "read", to: "readWrite", block_table: "read" },
} as const;

/** The copying of values, or of scales. */
interface Part {
  readonly kernel: Kernel;
  /** By layer. */
  readonly groups: readonly GPUBindGroup[];
  /** Units of a slot. */
  readonly slotUnits: number;
}

/** Returns the operators of a strategy that gathers blocks. */
export function gathering({ blockSize, maxBlocks, regionBlocks }: GatherSizes): KvAroundDef {
  const regionSlots = regionBlocks * blockSize;
  const scratchBytes = (shape: KvShape) => shape.nSequences * regionSlots * kvRowBytes(shape);
  /** Blocks that a step gathers of each sequence: a tile for each, the last one of its rows. */
  const blocksOf = ({ tiles, nPrefillTiles }: KvBatch) => {
    const blocks: number[] = [];
    for (let t = 0; 4 * t < tiles.length; t++) {
      const [, rows, sequence, first, , , next] = tiles.subarray(4 * t, 4 * t + 7);
      if (t + 1 < nPrefillTiles && next === sequence) continue;
      blocks.push(Math.ceil((first! + rows!) / blockSize));
    }
    return blocks;
  };
  const create = async ({ gpu, layouts, nLayer, pool, shape }: KvAroundContext): Promise<KvAround> => {
    const scratch = pool.layout.createLayer("kv gathered", shape.nSequences * regionSlots);
    const region = gpu.ledger.createBuffer({
      label: "kv gathered region",
      category: "tables",
      bytes: 4,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const dispose = () => {
      scratch.destroy();
      region.destroy();
    };
    gpu.device.queue.writeBuffer(region.buffer, 0, Uint32Array.of(regionSlots));
    const part = async (
      to: LedgerVectors,
      from: readonly LedgerVectors[],
      slotBytes: number,
    ): Promise<Part> => {
      const kind = "texture" in to ? "texels" : "words";
      const slotUnits = slotBytes / (kind === "texels" ? TEXEL_BYTES : 4);
      const layout = layouts.of(USES[kind]);
      const kernel = await createKernel(gpu.device, {
        label: "kv gather",
        files: [KV_GATHER.all, KV_GATHER[kind]],
        groups: [layouts.step, layout],
        overrides: {
          BLOCK_SIZE: blockSize,
          MAX_BLOCKS: maxBlocks,
          BLOCK_UNITS: blockSize * slotUnits,
          REGION_UNITS: regionSlots * slotUnits,
        },
      });
      const groups = from.map((own) => layout.bind({ from: own, to, block_table: pool.table }));
      return { kernel, groups, slotUnits };
    };
    try {
      const { valueBytes, scaleBytes } = pool.layout;
      const parts = [await part(scratch.kv, pool.layers.map(({ kv }) => kv), valueBytes)];
      if (scratch.scales) {
        parts.push(await part(scratch.scales, pool.layers.map(({ scales }) => scales!), scaleBytes));
      }
      const read = { layer: scratch, table: region };
      const groups = pool.layers.map((layer) => pool.layout.bind(layer, pool.table, read));
      return {
        kvBytes: scratch.bytes,
        bindGroups: (layer) => groups[layer]!,
        stored: ({ recorder, layer, batch }) => {
          const most = Math.max(...blocksOf(batch)) * blockSize, { nPrefillTiles, nDecodeTiles } = batch;
          for (const { kernel, groups, slotUnits } of parts) {
            const stretches = Math.ceil(most * slotUnits / lanesOf(KV_GATHER.all));
            const x = Math.min(MOST_STRETCHES, stretches);
            recorder.dispatch(kernel, [groups[layer]!], x, nPrefillTiles + nDecodeTiles);
          }
        },
        costs: (batch): Record<string, KvCost> => {
          const tokens = blocksOf(batch).reduce((sum, blocks) => sum + blocks * blockSize, 0);
          return { "kv gather": { bytes: nLayer * 2 * tokens * kvRowBytes(shape), macs: 0 } };
        },
        dispose,
      };
    } catch (error) {
      dispose();
      throw error;
    }
  };
  return {
    bytes: (shape) => ({ kv: scratchBytes(shape), largestKv: scratchBytes(shape), other: 16 }),
    create,
  };
}
