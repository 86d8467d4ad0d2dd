/** One layer's K and V on the GPU. */
import type { LedgerBuffer, LedgerVectors } from "../gpu/ledger.ts";

/** Memory of the K and V of many slots. */
export class KvLayer {
  /** The values. */
  readonly kv: LedgerVectors;
  /** The scales of every slot's heads, where the storage type has some. */
  readonly scales: LedgerBuffer | undefined;

  /** Takes over both. */
  constructor(kv: LedgerVectors, scales: LedgerBuffer | undefined) {
    this.kv = kv;
    this.scales = scales;
  }

  /** Bytes of both. */
  get bytes(): number {
    return this.kv.bytes + (this.scales?.bytes ?? 0);
  }

  /** Frees both. */
  destroy(): void {
    this.kv.destroy();
    this.scales?.destroy();
  }
}
