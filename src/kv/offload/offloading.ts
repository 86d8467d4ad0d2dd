/**
 * K and V of layers in host memory: they are written to one of two buffers while the layer before is computed, and new
 * tokens' come back behind the step. WebGPU maps a buffer in a promise alone, so that every step waits for the one before.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { LedgerVectors } from "../../gpu/ledger.ts";
import { COPY_ROW_BYTES } from "../../gpu/readback.ts";
import { StagingBuffer } from "../../gpu/staging.ts";
import { writeVectors } from "../../gpu/writer.ts";
import type { KvAround, KvAroundContext, KvAroundDef, KvBatch } from "../around.ts";
import type { KvLayer } from "../layer.ts";
import type { SlotRange } from "../moves.ts";
import { kvRowBytes, type KvShape } from "../shape.ts";
import { SLOT_GROUP } from "../slot_group.ts";

interface OffloadSizes {
  /** Layers that stay on the GPU: the first ones. */
  readonly resident: number;
  /** All layers. */
  readonly nLayer: number;
  /** Slots of a sequence's region. */
  readonly regionSlots: number;
  /** Slots of the groups that a step's tokens lie in, at most. */
  readonly stepSlots: number;
}

/** Buffers that layers in host memory take turns in. */
const BUFFERS = 2;

/** Returns the operators of a strategy that offloads layers. */
export function offloading(sizes: OffloadSizes): KvAroundDef {
  return {
    bytes: (shape) => {
      const layer = shape.nSequences * sizes.regionSlots * kvRowBytes(shape);
      const offloaded = sizes.nLayer - sizes.resident;
      return {
        kv: BUFFERS * layer,
        largestKv: layer,
        other: offloaded * sizes.stepSlots * stagedBytes(shape),
        host: offloaded * layer,
      };
    },
    create: (context) => Promise.resolve(context.gpu.ledger.allOrNone(() => new Offloading(context, sizes))),
  };
}

/** Bounds the bytes of a slot in the staging buffer. */
function stagedBytes(shape: KvShape): number {
  return kvRowBytes(shape) + COPY_ROW_BYTES;
}

/** Values or scales of a layer, on their way. */
interface Plane {
  /** Bytes of a slot. */
  readonly slotBytes: number;
  /** Bytes from one slot to the next in the staging buffer. */
  readonly stride: number;
  /** Returns a layer's memory of it. */
  of(layer: KvLayer): LedgerVectors;
}

class Offloading implements KvAround {
  readonly submitsWithin = true;
  readonly #gpu: Gpu;
  readonly #sizes: OffloadSizes;
  readonly #pool: KvAroundContext["pool"];
  readonly #planes: readonly Plane[];
  readonly #buffers: readonly KvLayer[];
  readonly #groups: ReturnType<KvAroundContext["pool"]["bindGroups"]>[];
  readonly #staging: StagingBuffer;
  /** K and V in host memory: [offloaded layers][planes], slots in order. */
  readonly #host: readonly (readonly Uint8Array<ArrayBuffer>[])[];
  /** Slots of earlier tokens that the step reads, and the groups of those that it writes. */
  #earlier: SlotRange[] = [];
  #written: SlotRange[] = [];
  #staged = 0;
  #isDisposed = false;
  #returning: Promise<void> | undefined;

  constructor({ gpu, pool, shape }: KvAroundContext, sizes: OffloadSizes) {
    this.#gpu = gpu;
    this.#sizes = sizes;
    this.#pool = pool;
    const { valueBytes, scaleBytes, texels } = pool.layout;
    const aligned = (bytes: number) => Math.ceil(bytes / COPY_ROW_BYTES) * COPY_ROW_BYTES;
    this.#planes = [
      { slotBytes: valueBytes, stride: texels ? aligned(valueBytes) : valueBytes, of: ({ kv }) => kv },
      ...scaleBytes > 0
        ? [{ slotBytes: scaleBytes, stride: scaleBytes, of: ({ scales }: KvLayer) => scales! }]
        : [],
    ];
    const nSlots = shape.nSequences * sizes.regionSlots, offloaded = sizes.nLayer - sizes.resident;
    this.#buffers = Array.from({ length: BUFFERS }, () => pool.layout.createLayer("kv offload", nSlots));
    this.#groups = this.#buffers.map((layer) => pool.layout.bind(layer, pool.table));
    this.#staging = new StagingBuffer(gpu, "kv offload", offloaded * sizes.stepSlots * stagedBytes(shape));
    this.#host = Array.from(
      { length: offloaded },
      () => this.#planes.map(({ slotBytes }) => new Uint8Array(nSlots * slotBytes)),
    );
  }

  get kvBytes(): number {
    return this.#buffers.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Waits until the tokens of the step before are in host memory. */
  ready(): Promise<void> | undefined {
    return this.#returning;
  }

  /** Finds the slots of the step, and writes the first layer's earlier tokens. */
  begin({ rows }: KvBatch): void {
    this.#earlier = [];
    this.#written = [];
    this.#staged = 0;
    for (let row = 0; 2 * row < rows.length;) {
      const sequence = rows[2 * row]!, first = rows[2 * row + 1]!;
      let count = 0;
      while (rows[2 * (row + count)] === sequence) count++;
      const region = sequence * this.#sizes.regionSlots;
      const before = Math.ceil(first / SLOT_GROUP) * SLOT_GROUP;
      const from = Math.floor(first / SLOT_GROUP) * SLOT_GROUP;
      const to = Math.ceil((first + count) / SLOT_GROUP) * SLOT_GROUP;
      if (before > 0) this.#earlier.push({ first: region, count: before });
      this.#written.push({ first: region + from, count: to - from });
      row += count;
    }
    this.#write(0);
  }

  bindGroups(layer: number): ReturnType<KvAroundContext["pool"]["bindGroups"]> {
    const index = layer - this.#sizes.resident;
    return index < 0 ? this.#pool.bindGroups(layer) : this.#groups[index % BUFFERS]!;
  }

  /** Writes the next layer's earlier tokens, in the buffer of the layer before, whose new ones are staged first. */
  before({ recorder, layer }: Parameters<NonNullable<KvAround["before"]>>[0]): void {
    const index = layer - this.#sizes.resident;
    if (index < 0) return;
    recorder.submit();
    if (index > 0) this.#stage(index - 1);
    if (index + 1 < this.#host.length) this.#write(index + 1);
  }

  end(_batch: KvBatch, submit: () => void): void {
    submit();
    this.#stage(this.#host.length - 1);
    const written = this.#written;
    this.#returning = this.#bringBack(written, this.#staged).finally(() => this.#returning = undefined);
    this.#returning.catch(() => {}); // told by what waits for it
  }

  costs(): Record<string, never> {
    return {};
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const buffer of this.#buffers) buffer.destroy();
    this.#staging.destroy();
  }

  /** Queues the earlier tokens of an offloaded layer. */
  #write(index: number): void {
    this.#planes.forEach(({ slotBytes, of }, plane) => {
      const to = of(this.#buffers[index % BUFFERS]!), host = this.#host[index]![plane]!;
      for (const { first, count } of this.#earlier) {
        const bytes = host.subarray(first * slotBytes, (first + count) * slotBytes);
        writeVectors(this.#gpu.device.queue, to, first * slotBytes, bytes);
      }
    });
  }

  /** Submits copies of the groups that the step has written in a layer. */
  #stage(index: number): void {
    const { device } = this.#gpu, encoder = device.createCommandEncoder();
    for (const { slotBytes, stride, of } of this.#planes) {
      const from = of(this.#buffers[index % BUFFERS]!);
      for (const { first, count } of this.#written) {
        if ("texture" in from) {
          encoder.copyTextureToBuffer(
            { texture: from.texture, origin: [0, first] },
            { buffer: this.#staging.buffer, offset: this.#staged, bytesPerRow: stride },
            [from.texture.width, count],
          );
        } else {
          const bytes = count * slotBytes;
          encoder.copyBufferToBuffer(
            from.buffer,
            first * slotBytes,
            this.#staging.buffer,
            this.#staged,
            bytes,
          );
        }
        this.#staged += count * stride;
      }
    }
    device.queue.submit([encoder.finish()]);
  }

  /** Brings what was staged to host memory, in the order of {@linkcode Offloading.#stage}. */
  async #bringBack(written: readonly SlotRange[], bytes: number): Promise<void> {
    try {
      await this.#staging.read(bytes, (range) => this.#unpack(written, new Uint8Array(range)));
    } catch (error) {
      if (!this.#isDisposed) throw error;
    }
  }

  #unpack(written: readonly SlotRange[], staged: Uint8Array): void {
    let at = 0;
    for (const host of this.#host) {
      this.#planes.forEach(({ slotBytes, stride }, plane) => {
        for (const { first, count } of written) {
          for (let slot = 0; slot < count; slot++, at += stride) {
            host[plane]!.set(staged.subarray(at, at + slotBytes), (first + slot) * slotBytes);
          }
        }
      });
    }
  }
}
