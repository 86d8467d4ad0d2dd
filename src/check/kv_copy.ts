/**
 * Checks that `kv_copy.wgsl` copies slots of every layer bit by bit, in order where copies depend on each other.
 */
import { kvCopy } from "../../wgsl/ops/kv_copy/reference.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { writeVectors } from "../gpu/writer.ts";
import { SlotCopier, type SlotCopy } from "../kv/slot_copier.ts";
import { KvPool } from "../kv/pool.ts";
import { chooseKv, plainStrategy } from "../kv/registry.ts";
import { makeKv } from "../kv/strategy_def.ts";
import type { KvShape } from "../kv/shape.ts";
import { seededRandom } from "../base/random.ts";
import { compare, type Comparison } from "../base/comparison.ts";
import { KvBytes } from "./kv_bytes.ts";

/** Two groups and a half. */
const N_SLOTS = 40;

/** Copies within 40 slots, some of which touch what others write. */
export const COPIES: readonly SlotCopy[] = [
  { from: 0, to: 20, count: 7 },
  { from: 30, to: 8, count: 3 },
  { from: 20, to: 33, count: 7 }, // reads what the first one wrote
  { from: 12, to: 20, count: 2 }, // writes what the one before reads
  { from: 5, to: 6, count: 0 },
];

/**
 * Carries out {@linkcode COPIES} in two layers.
 *
 * @throws {KvbenchError} If the kernel does not compile or the device fails.
 */
export async function checkKvCopy(gpu: Gpu, shape: KvShape): Promise<Comparison> {
  const { addressing } = makeKv(chooseKv(plainStrategy().name), {
    ...{ nSequences: 1, nLayer: 2, nCtx: N_SLOTS, maxTokens: N_SLOTS, maxRows: N_SLOTS },
    ...{ budgetTokens: undefined, swapTokens: 0, watermark: 0 },
  });
  const pool = KvPool.allocate(gpu, { shape, addressing, nSlots: N_SLOTS, movesSlots: true });
  try {
    const copier = await SlotCopier.create(gpu, pool);
    try {
      const random = seededRandom(1);
      const fill = (bytes: number) => Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
      const layers = pool.layers.map(({ kv, scales }) => {
        const values = fill(kv.bytes), own = fill(scales?.bytes ?? 0);
        writeVectors(gpu.device.queue, kv, 0, values);
        if (scales) writeVectors(gpu.device.queue, scales, 0, own);
        return new KvBytes(N_SLOTS, values.buffer, own.buffer, { ...shape, slotGroup: pool.slotGroup });
      });
      copier.copy(COPIES);
      for (const stored of layers) {
        kvCopy(Array.from({ length: N_SLOTS }, (_, slot) => stored.headsOf(slot)), COPIES);
      }
      const saved = new Uint8Array(await pool.save([{ first: 0, count: N_SLOTS }]));
      const expected = Uint8Array.from(layers.flatMap(({ values, scales }) => [...values, ...scales]));
      return compare(saved, expected, {
        what: "40 slots of two layers",
        tolerance: 0,
        width: pool.slotBytes,
      });
    } finally {
      copier.dispose();
    }
  } finally {
    pool.dispose();
  }
}
