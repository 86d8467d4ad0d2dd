/**
 * Copies of token slots within a pool, in every layer: for copy-on-write and for forks of contiguous caches.
 */
import { BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { createKernel, type Kernel } from "../gpu/kernel.ts";
import type { LedgerBuffer } from "../gpu/ledger.ts";
import { lanesOf } from "../gpu/wgsl.ts";
import { KV_COPY } from "./files.ts";

/** Copies of one dispatch at most. */
export const MOST_COPIES = 256;
/** Workgroups of one copy at most. */
const MOST_GROUPS = 256;

/** Bytes of a head's K and V. */
export type HeadBytes = readonly [k: number, v: number];

/** Values or scales of a layer: see `kv_groups.wgsl`. */
export interface SlotBuffer {
  /** The buffer. */
  readonly buffer: LedgerBuffer;
  /** Bytes of a head. */
  readonly headBytes: HeadBytes;
  /** Bytes of a slot. */
  readonly slotBytes: number;
}

/** The pool as its copier sees it. */
interface CopiedPool {
  /** The buffers of all layers now. */
  readonly buffers: readonly SlotBuffer[];
  /** Bytes of a head's values and, where there are some, of its scales. */
  readonly headBytes: readonly HeadBytes[];
  /** Heads of a layer. */
  readonly nHead: number;
  /** Slots of a group. */
  readonly slotGroup: number;
}

/** Slots to copy. */
export interface SlotCopy {
  /** First slot to read. */
  readonly from: number;
  /** First slot to write. */
  readonly to: number;
  /** Slots. */
  readonly count: number;
}

/** Copies slots of one pool. */
export class SlotCopier {
  readonly #gpu: Gpu;
  readonly #list: LedgerBuffer; // [MOST_COPIES, 3] u32
  readonly #layout: BindLayout<"copies" | "kv">;
  /** By the bytes of a head. */
  readonly #kernels: ReadonlyMap<string, Kernel>;
  /** For each buffer of the pool. */
  #parts: readonly {
    readonly kernel: Kernel;
    readonly group: GPUBindGroup;
    readonly slotBytes: number;
  }[] = [];

  private constructor(
    gpu: Gpu,
    layout: BindLayout<"copies" | "kv">,
    kernels: ReadonlyMap<string, Kernel>,
  ) {
    this.#gpu = gpu;
    this.#layout = layout;
    this.#kernels = kernels;
    const spec = { label: "kv copies", category: "tables", bytes: MOST_COPIES * 12 } as const;
    this.#list = gpu.ledger.createBuffer(spec);
  }

  /**
   * Compiles the kernels for a pool.
   *
   * @throws {KvbenchError} If one does not compile.
   * @throws {Error} If the pool's values are in textures.
   */
  static async create(gpu: Gpu, pool: CopiedPool): Promise<SlotCopier> {
    const layout = new BindLayout(gpu.device, "kv copy", { copies: "read", kv: "readWrite" });
    const kernels = await Promise.all(pool.headBytes.map(async ([k, v]) => {
      const kernel = await createKernel(gpu.device, {
        label: "kv copy",
        files: [KV_COPY],
        groups: [layout],
        overrides: { N_HEAD: pool.nHead, SLOT_GROUP: pool.slotGroup, K_WORDS: k / 4, V_WORDS: v / 4 },
      });
      return [`${k} ${v}`, kernel] as const;
    }));
    const copier = new SlotCopier(gpu, layout, new Map(kernels));
    copier.bind(pool);
    return copier;
  }

  /** Takes the pool's buffers, which are others after it was resized. */
  bind({ buffers }: CopiedPool): void {
    this.#parts = buffers.map(({ buffer, headBytes, slotBytes }) => ({
      kernel: this.#kernels.get(headBytes.join(" "))!,
      group: this.#layout.bind({ copies: this.#list, kv: buffer }),
      slotBytes,
    }));
  }

  /** Submits copies; each reads what those before it wrote. */
  copy(copies: readonly SlotCopy[]): void {
    for (const part of independent(copies)) this.#submit(part);
  }

  /** Frees the list. */
  dispose(): void {
    this.#list.destroy();
  }

  #submit(copies: readonly SlotCopy[]): void {
    const { device } = this.#gpu;
    const list = Uint32Array.from(copies.flatMap(({ from, to, count }) => [from, to, count]));
    device.queue.writeBuffer(this.#list.buffer, 0, list);
    const most = Math.max(...copies.map(({ count }) => count));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { kernel, group, slotBytes } of this.#parts) {
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(
        Math.min(MOST_GROUPS, Math.ceil(most * slotBytes / 4 / lanesOf(KV_COPY))),
        copies.length,
      );
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
}

/** Cuts a list so that no copy touches what another of its part writes. */
export function independent(copies: readonly SlotCopy[]): SlotCopy[][] {
  const parts: SlotCopy[][] = [];
  for (const copy of copies) {
    if (copy.count === 0) continue;
    const part = parts.at(-1);
    const clashes = part?.some((other) =>
      overlap(other.to, copy.from, other, copy) || overlap(other.to, copy.to, other, copy) ||
      overlap(other.from, copy.to, other, copy)
    );
    if (part === undefined || clashes || part.length === MOST_COPIES) parts.push([copy]);
    else part.push(copy);
  }
  return parts;
}

function overlap(a: number, b: number, { count: aCount }: SlotCopy, { count: bCount }: SlotCopy): boolean {
  return a < b + bCount && b < a + aCount;
}
